/*
 * Entry of a process that measures one model and ends, so that nothing else shares its memory and time.
 */
import { messageOf } from '../../core/errors.js';
import { measureModel, type MeasureOptions } from '../../training/measure-model.js';

process.once('message', (options: MeasureOptions) => {
  measureModel(options).then(
    (measurement) => {
      process.send?.({ measurement }, undefined, {}, () => process.exit(0));
    },
    (error: unknown) => {
      process.send?.({ error: messageOf(error) }, undefined, {}, () => process.exit(1));
    },
  );
});
process.on('disconnect', () => process.exit(1));
