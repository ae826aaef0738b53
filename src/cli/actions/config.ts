import { relative } from 'node:path';

import { writeFileAtomically } from '../../core/atomic-file.js';
import { configRegistry } from '../../app/studies/config-registry.js';
import { locateSweep } from '../../app/studies/locate-sweep.js';
import { jsonSchemaOf } from '../../config/json-schema.js';
import { declaredSpaceOf } from '../../config/declared-space.js';
import type { SchemaArguments, ConfigArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';

/** `resweep hash CONFIG`. */
export async function hash(args: ConfigArguments): Promise<void> {
  const output = outputOf(args);
  const { study8, hashedText, studyDir } = await locateSweep(args.config, { set: args.set });
  if (output.json) output.document({ study8, hashed: hashedText, studyDir });
  output.print(study8);
  output.print(hashedText);
}

/** `resweep validate CONFIG`. Wrong ones end in the error that lists every problem. */
export async function validate(args: ConfigArguments): Promise<void> {
  const output = outputOf(args);
  const { config, loaded, study8, projectRoot } = await locateSweep(args.config, { set: args.set });
  const space = declaredSpaceOf(config);
  for (const warning of loaded.warnings) output.warn(warning);
  if (output.json) output.document({ valid: true, study8, warnings: [...loaded.warnings] });
  output.print(
    `${relative(process.cwd(), loaded.path)} is valid: study ${config.study} (study-${study8}), ` +
      `${space.parameters.length} parameters, ${config.trials} trials, sampler ${config.sampler.type}, pruner ${config.pruner.type}.`,
  );
  output.detail(`Project root: ${projectRoot}`);
}

/** `resweep schema [--out FILE]`. */
export async function schema(args: SchemaArguments): Promise<void> {
  const output = outputOf(args);
  const text = `${JSON.stringify(jsonSchemaOf(await configRegistry()), null, 2)}\n`;
  if (args.out === undefined) {
    process.stdout.write(text);
    return;
  }
  writeFileAtomically(args.out, text);
  output.info(`Written: ${args.out}`);
}
