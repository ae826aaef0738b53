// What the stages after the sweep cost: converting a model of ten million parameters, and saying that everything is there.
// node bench/pipeline.mjs      needs: npm run build
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { convertLayersModel } from '../build/pipeline/convert/onnx/convert-layers-model.js';

const main = resolve('dist/cli/main.js');
const report = (name, value, goal, unit) =>
  console.log(`${name}: ${value.toFixed(2)} ${unit}, goal ${goal} ${unit}: ${value <= goal ? 'reached' : 'missed'}`);

/** A perceptron with ten million weights, as the trainers save it. */
function writeLargeModel(folder) {
  const widths = [784, 2600, 2600, 450, 10];
  const layers = [];
  const weights = [];
  widths.slice(1).forEach((units, i) => {
    const name = `dense_${i}`;
    const first = i === 0 ? { batch_input_shape: [null, widths[0]] } : {};
    layers.push({ class_name: 'Dense', config: { name, units, activation: 'relu', use_bias: true, ...first } });
    weights.push({ name: `${name}/kernel`, shape: [widths[i], units], dtype: 'float32' });
    weights.push({ name: `${name}/bias`, shape: [units], dtype: 'float32' });
  });
  const size = weights.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
  const values = Float32Array.from({ length: size }, (_, i) => Math.sin(i) / 50);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'weights.bin'), Buffer.from(values.buffer));
  const modelTopology = { class_name: 'Sequential', config: { name: 'large', layers } };
  const json = { format: 'layers-model', modelTopology, weightsManifest: [{ paths: ['weights.bin'], weights }] };
  writeFileSync(join(folder, 'model.json'), JSON.stringify(json));
  return size;
}

const folder = mkdtempSync(join(tmpdir(), 'resweep-pipeline-'));
try {
  const parameters = writeLargeModel(join(folder, 'model'));
  let start = performance.now();
  const { bytes } = convertLayersModel(join(folder, 'model'));
  report(`converting ${(parameters / 1e6).toFixed(1)} million parameters`, (performance.now() - start) / 1000, 2, 's');
  report('file beyond the weights', (bytes.length / (4 * parameters) - 1) * 100, 1, '%');

  mkdirSync(join(folder, 'data'));
  copyFileSync('data/digits.csv.gz', join(folder, 'data', 'digits.csv.gz'));
  writeFileSync(join(folder, 'package.json'), '{}');
  copyFileSync('configs/quickstart.yaml', join(folder, 'sweep.yaml'));
  const pipeline = () =>
    execFileSync(process.execPath, [main, 'pipeline', 'sweep.yaml', '--set', 'trials=4', '--quiet'], {
      cwd: folder,
      stdio: 'ignore',
    });
  pipeline();
  const times = Array.from({ length: 5 }, () => {
    start = performance.now();
    pipeline();
    return (performance.now() - start) / 1000;
  });
  report('a pipeline where everything is there', times.sort((a, b) => a - b)[2], 1, 's');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
