/** Objective files that `resweep init` writes: each runs as it is, and says where the real training goes. */

export const PYTHON_OBJECTIVE = `"""One trial: parameters come as arguments, results go out as JSON lines on stdout.

Put your training in the place of the formula. More: parameters also stand in the variable RESWEEP_PARAMS (JSON); what lies in
the folder RESWEEP_CHECKPOINT_DIR is there again when an interrupted trial goes on.
"""

import argparse
import json

parser = argparse.ArgumentParser()
parser.add_argument("--learning_rate", type=float)
parser.add_argument("--layers", type=int)
parser.add_argument("--optimizer")
parser.add_argument("--momentum", type=float, default=0.0)
args = parser.parse_args()

loss = 1.0
for epoch in range(1, 11):
    # Your training of one epoch, and its loss on validation data.
    target = abs(args.learning_rate - 0.02) + 0.05 * abs(args.layers - 3) + (0.1 * args.momentum if args.optimizer == "sgd" else 0.05)
    loss = target + (loss - target) * 0.7
    print(json.dumps({"step": epoch, "value": loss}), flush=True)  # a hopeless trial is ended here

print(json.dumps({"loss": loss}))
`;

export const NODE_OBJECTIVE = `// One trial: parameters come as arguments, results go out as JSON lines on stdout. Put your training in the place of the formula.
const params = JSON.parse(process.env.RESWEEP_PARAMS ?? '{}');

let loss = 1;
for (let epoch = 1; epoch <= 10; epoch++) {
  const cost = params.optimizer === 'sgd' ? 0.1 * params.momentum : 0.05;
  const target = Math.abs(params.learning_rate - 0.02) + 0.05 * Math.abs(params.layers - 3) + cost;
  loss = target + (loss - target) * 0.7;
  console.log(JSON.stringify({ step: epoch, value: loss })); // a hopeless trial is ended here
}
console.log(JSON.stringify({ loss }));
`;

export const MODULE_OBJECTIVE = `/**
 * One trial, in a worker process. Put your training in the place of the formula.
 *
 * trial: params, report(step, value), log(line), checkpointDir (what lies there is back when an interrupted trial goes on), seed, signal
 */
export default async function objective(trial) {
  const { learning_rate: rate, layers, optimizer, momentum = 0 } = trial.params;
  let loss = 1;
  for (let epoch = 1; epoch <= 10; epoch++) {
    const target = Math.abs(rate - 0.02) + 0.05 * Math.abs(layers - 3) + (optimizer === 'sgd' ? 0.1 * momentum : 0.05);
    loss = target + (loss - target) * 0.7;
    await trial.report(epoch, loss); // a hopeless trial is ended here
  }
  return { loss };
}
`;
