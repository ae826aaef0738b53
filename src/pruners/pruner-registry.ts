import { patientPrunerDefinition } from './patient-pruner.js';
import { plainPrunerDefinitions } from './wrapped-pruner.js';

/** Every pruner that a configuration can name. */
export const prunerDefinitions = [...plainPrunerDefinitions, patientPrunerDefinition] as const;
