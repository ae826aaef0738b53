import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ParamValue } from '../core/distributions.js';
import { parseJson, stringifyJson, type JsonValue } from '../core/json.js';
import type { TrialTask } from './objective.js';

/*
 * Programs written for W&B: arguments as its agent writes them (Python's words, nested parameters as one), and a Python module
 * `wandb` of ours that takes what they log. Source: `wandb/sdk/launch/sweeps` and `wandb/wandb_agent.py`, the agent's command macros.
 */

type Config = { [key: string]: JsonValue | Config };

/** Parameters as `wandb.config` holds them: `model.layers` is `layers` within `model`; lists and mappings are taken apart again. */
export function wandbConfig(params: Readonly<Record<string, ParamValue>>): Config {
  const config: Config = {};
  for (const [name, value] of Object.entries(params)) {
    const parts = name.split('.');
    let at = config;
    for (const part of parts.slice(0, -1)) {
      at[part] = typeof at[part] === 'object' && at[part] !== null && !Array.isArray(at[part]) ? at[part] : {};
      at = at[part] as Config;
    }
    at[parts.at(-1) ?? name] = typeof value === 'string' && /^[[{]/.test(value) ? parsed(value) : value;
  }
  return config;
}

function parsed(text: string): JsonValue {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

/** `${args}` and its kin, one word for each parameter. */
export function wandbArguments(kind: string, params: Readonly<Record<string, ParamValue>>): string[] {
  return Object.entries(wandbConfig(params)).flatMap(([name, value]) => {
    if (kind === 'args_no_hyphens') return [`${name}=${pythonText(value)}`];
    if (kind === 'args_no_boolean_flags' && typeof value === 'boolean') return value ? [`--${name}`] : [];
    return [`--${name}=${pythonText(value)}`];
  });
}

/** As `str()` of Python writes it. */
function pythonText(value: JsonValue | Config): string {
  return typeof value === 'string' ? value : pythonLiteral(value);
}

/** As `repr()` of Python writes it. */
function pythonLiteral(value: JsonValue | Config): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') {
    const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
    return `${quote}${value.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`)}${quote}`;
  }
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(', ')}]`;
  if (typeof value === 'object') {
    const entries = Object.entries(value).map(([key, item]) => `${pythonLiteral(key)}: ${pythonLiteral(item)}`);
    return `{${entries.join(', ')}}`;
  }
  return stringifyJson(value);
}

/** Puts our module `wandb` before any other, and tells it which logged numbers are the metrics. */
export function wandbEnvironment(task: TrialTask, env: NodeJS.ProcessEnv): Record<string, string> {
  const folder = fileURLToPath(new URL('../../python/wandb_protocol', import.meta.url));
  const others = env['PYTHONPATH'];
  return {
    PYTHONPATH: others === undefined || others === '' ? folder : `${folder}${delimiter}${others}`,
    RESWEEP_METRICS: stringifyJson(task.metrics.map(({ name, direction }) => ({ name, direction }))),
    RESWEEP_WANDB_CONFIG: stringifyJson(wandbConfig(task.params)),
  };
}
