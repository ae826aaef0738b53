import type { ParamValue } from './distributions.js';
import { canonicalJson, type JsonValue } from './json.js';
import { hash8 } from './random.js';

/** Identity of a trial: its study, its position without interruptions, its parameters. A retry has its original's. */
export function trial8Of(study8: string, logicalIndex: number, params: Readonly<Record<string, ParamValue>>): string {
  return hash8(canonicalJson({ index: logicalIndex, params, study: study8 }));
}

/** Identity of a final training: the study, the chosen configuration, the settings of the training. */
export function spec8Of(study8: string, configuration: JsonValue, settings: JsonValue): string {
  return hash8(canonicalJson({ configuration, settings, study: study8 }));
}

/** Identity of a conversion: the final training and the settings of the conversion. */
export function conv8Of(spec8: string, settings: JsonValue): string {
  return hash8(canonicalJson({ settings, spec: spec8 }));
}
