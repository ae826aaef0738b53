import type { CommandModule } from 'yargs';

import type { StageArguments } from '../arguments.js';
import { withConfig } from '../common-options.js';

function stageCommand(
  name: StageArguments['stage'],
  describe: string,
  example: string,
): CommandModule<object, StageArguments> {
  return {
    command: `${name} <config>`,
    describe,
    builder: (argv) =>
      withConfig(argv)
        .option('force', { type: 'boolean', default: false, describe: 'Do it again, whatever is there' })
        .example(`$0 ${name} configs/quickstart.yaml`, example)
        .example(`$0 ${name} configs/quickstart.yaml --json`, 'the same, result as JSON') as never,
    handler: async (args) => (await import('../actions/stages.js')).stage({ ...args, stage: name }),
  };
}

export const pipelineCommand = stageCommand(
  'pipeline',
  'Sweep, benchmark, select, train and convert, each from where it stopped',
  'everything; the same command goes on after any interruption',
);
export const benchmarkCommand = stageCommand(
  'benchmark',
  'Measure the models of the best trials on this machine',
  'latency, throughput, memory and size of the best trials',
);
export const selectCommand = stageCommand(
  'select',
  'Choose the best configuration, by the metric or as select: says',
  'the choice, why, and what else came near',
);
export const trainCommand = stageCommand(
  'train',
  'Train the chosen configuration to its end',
  'from its last checkpoint where it was cut off',
);
export const convertCommand = stageCommand('convert', 'Convert the trained model, to ONNX', 'checked by ONNX Runtime');
