import type { SweepConfig } from '../core/sweep-config.js';
import { camelKeys } from '../core/key-case.js';
import { componentSchema, type ConfigRegistry } from './component-schema.js';
import { sentence, type ConfigProblem } from './config-error.js';
import { createConfigSchema, type CheckedSections, type ConfigSchema } from './config-schema.js';
import { checkAcross, type ValidSections } from './cross-checks.js';
import { explainIssue, unknownKey, type Explained } from './explain-issue.js';
import { parameterSchema, type RawParameter } from './parameter-schema.js';
import { resolveParameters } from './resolve-parameters.js';
import { isRecord, type Complain } from './schema-readers.js';
import type { ConfigDocument, KeyPath } from './yaml-document.js';

export interface CheckOptions {
  readonly registry: ConfigRegistry;
  readonly projectRoot: string;
  readonly configFolder: string | undefined;
  readonly checkFiles: boolean;
  /** Used where the configuration names none. */
  readonly environment: string;
}

export interface CheckResult {
  /** Undefined where there are problems. */
  readonly config: SweepConfig | undefined;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly string[];
}

/** Checks a whole document: each section by its schema, then the rules between sections. Never throws for what a user wrote. */
export function checkConfig(document: ConfigDocument, options: CheckOptions): CheckResult {
  const value = document.toValue();
  const problems: ConfigProblem[] = [...document.problems];
  const report = (explained: Explained): void => {
    const problem = toProblem(explained, document);
    // A variable that is not set is reported already; what follows from it is noise.
    if (!problems.some((known) => known.key === problem.key && known.line === problem.line)) problems.push(problem);
  };
  const warnings: string[] = [];
  if (!isRecord(value)) {
    report({ path: [], allowed: 'a mapping with study, backbone, metric, trials, parameters and objective' });
    return { config: undefined, problems, warnings };
  }
  const schema = createConfigSchema(options.registry);
  const sections = checkSections(value, schema, report);
  checkAlternatives(value, report);
  const complain: Complain = (details, path = []) => {
    report({ ...details, path });
  };
  const parameters = resolveParameters(
    sections.parameters ?? singleParameters(value['parameters']),
    (name, key) => document.isWrittenAsFloat(['parameters', name, key]),
    (details, path = []) => {
      complain(details, ['parameters', ...path]);
    },
  );
  checkPasswords(document, complain);
  checkAcross(sections, hasNoProblemBelow(problems, 'parameters') ? parameters : undefined, {
    ...options,
    complain,
    warn: (text) => warnings.push(text),
  });
  if (problems.length > 0) return { config: undefined, problems: withoutConsequences(problems), warnings };
  return { config: assemble(sections as CheckedSections, parameters, options), problems, warnings };
}

function hasNoProblemBelow(problems: readonly ConfigProblem[], section: string): boolean {
  return !problems.some((problem) => problem.key === section || problem.key.startsWith(`${section}.`));
}

/** A key that is missing because its name is misspelt is reported once, at the misspelt name. */
function withoutConsequences(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const meant = new Set(
    problems.flatMap(({ key, nearest, found }) =>
      nearest === undefined || found === undefined ? [] : [[...key.split('.').slice(0, -1), nearest].join('.')],
    ),
  );
  return problems.filter((problem) => !(problem.found === undefined && meant.has(problem.key)));
}

/** Parameters one by one, where the section as a whole is not valid. */
function singleParameters(value: unknown): Readonly<Record<string, RawParameter | undefined>> {
  return Object.fromEntries(
    Object.entries(isRecord(value) ? value : {}).map(([name, raw]) => [name, parameterSchema.safeParse(raw).data]),
  );
}

function checkSections(
  value: Readonly<Record<string, unknown>>,
  schema: ConfigSchema,
  report: (explained: Explained) => void,
): ValidSections {
  const { shape } = schema;
  const known = Object.keys(shape);
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) report(unknownKey(key, known, []));
  }
  const valid: Record<string, unknown> = {};
  for (const [key, section] of Object.entries(shape)) {
    // An empty `limits:` is the same as none.
    const given = value[key] ?? undefined;
    const result = section.safeParse(given);
    if (result.success) {
      valid[key] = result.data;
      continue;
    }
    for (const issue of result.error.issues) {
      for (const explained of explainIssue(issue, section, given)) {
        report({ ...explained, path: [key, ...explained.path] });
      }
    }
  }
  return valid;
}

function checkAlternatives(value: Readonly<Record<string, unknown>>, report: (explained: Explained) => void): void {
  for (const [one, several, allowed] of [
    ['metric', 'metrics', 'metric: {name, goal}, or metrics: a list of such'],
    ['backbone', 'backbones', 'backbone: a name for the model family, or backbones: a list of such'],
  ] as const) {
    if (value[one] !== undefined && value[several] !== undefined) {
      report({ path: [several], aboutKey: true, text: `stands beside ${one}; write one of the two.` });
    } else if (value[one] === undefined && value[several] === undefined) {
      report({ path: [one], missing: true, allowed });
    }
  }
}

/** A password written out would end up in study.yaml and in every backup. */
function checkPasswords(document: ConfigDocument, complain: Complain): void {
  for (const path of document.plainPasswords()) {
    complain(
      { text: 'holds a password in clear; write it as ${NAME} and set that variable of the environment.' },
      path.map(String),
    );
  }
}

export function toProblem(explained: Explained, document: ConfigDocument): ConfigProblem {
  const path: KeyPath = explained.path;
  const location = explained.aboutKey === true ? document.locateKey(path) : document.locate(path);
  const missing = explained.missing === true && location.found === undefined;
  const parts = { found: location.found, allowed: explained.allowed, nearest: explained.nearest, missing };
  const nearest = explained.nearest === undefined ? '' : ` Did you mean "${explained.nearest}"?`;
  const allowed = explained.allowed === undefined ? '' : `; expected ${explained.allowed}.`;
  const message = explained.text === undefined ? sentence(parts) : `${explained.text}${allowed}${nearest}`;
  return {
    file: location.file,
    line: location.line,
    column: location.column,
    key: path.join('.'),
    found: location.found,
    allowed: explained.allowed,
    nearest: explained.nearest,
    message: document.secrets.redact(message),
  };
}

function assemble(checked: CheckedSections, parameters: SweepConfig['parameters'], options: CheckOptions): SweepConfig {
  const backbones = checked.backbones ?? [checked.backbone ?? ''];
  const { limits, storage } = checked;
  return {
    study: checked.study,
    backbone: backbones[0] ?? '',
    backbones,
    environment: checked.environment ?? options.environment,
    metrics: checked.metrics ?? (checked.metric === undefined ? [] : [checked.metric]),
    trials: checked.trials,
    parallel: checked.parallel,
    ...searchComponents(checked, options.registry),
    parameters,
    feasible: checked.feasible,
    objective: checked.objective,
    backend: checked.backend,
    limits: {
      trial: limits.trial,
      session: limits.session,
      study: limits.study,
      failures: limits.failures,
      noImprovement: limits.no_improvement,
      memory: limits.memory,
      diskFree: limits.disk_free,
      idleOutput: limits.idle_output,
      cost: limits.cost === undefined ? undefined : { perHour: limits.cost.per_hour, max: limits.cost.max },
    },
    retry: checked.retry,
    storage: {
      kind: storage?.url === undefined ? 'file' : storage.url === 'memory' ? 'memory' : 'url',
      url: storage?.url === 'memory' ? undefined : storage?.url,
      durability: storage?.durability ?? 'normal',
    },
    checkpoint: checked.checkpoint,
    backup: {
      enabled: checked.backup.enabled,
      statusPage: checked.backup.status_page,
      mounts: checked.backup.mounts,
      destinations: checked.backup.destinations,
    },
    track: checked.track,
    benchmark: {
      top: checked.benchmark.top,
      batchSizes: checked.benchmark.batch_sizes,
      warmup: checked.benchmark.warmup,
      repeats: checked.benchmark.repeats,
    },
    select: checked.select,
    final: checked.final,
    convert: checked.convert,
    launch: checked.launch ?? {},
  };
}

/** Sampler and pruner; where they are not named, the first of these that exists. */
function searchComponents(checked: CheckedSections, registry: ConfigRegistry): Pick<SweepConfig, 'sampler' | 'pruner'> {
  const fallback = (entries: ConfigRegistry['samplers'], preferred: readonly string[]) => {
    const type = preferred.find((name) => entries.some((entry) => entry.type === name)) ?? entries[0]?.type;
    return type === undefined ? { type: '', options: {} } : componentSchema(entries, '').parse(type);
  };
  const { seed, ...options } = (checked.sampler ?? fallback(registry.samplers, ['auto', 'tpe'])).options;
  const pruner = checked.pruner ?? fallback(registry.pruners, ['median', 'nop']);
  const type = checked.sampler?.type ?? fallback(registry.samplers, ['auto', 'tpe']).type;
  return {
    sampler: { type, seed: typeof seed === 'number' ? seed : undefined, options: camelKeys(options) },
    pruner: { type: pruner.type, options: camelKeys(pruner.options) },
  };
}
