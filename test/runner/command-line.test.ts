import { describe, expect, it } from 'vitest';

import { expandCommand, expandWord, type CommandContext } from '../../src/runner/command-line.js';
import { LineSplitter, readLastNumber, readOutputLine } from '../../src/runner/command-output.js';
import { outcomeOf } from '../../src/runner/outcome.js';

const context: CommandContext = {
  task: {
    trialId: 1,
    number: 7,
    logicalIndex: 7,
    attempt: 0,
    studyName: 's',
    params: { learning_rate: 0.01, optimizer: 'adam', nesterov: true, frozen: false, note: "it's", nothing: null },
    trialDir: '/t',
    checkpointDir: '/t/checkpoint',
    seed: 42,
    metrics: [{ name: 'loss', direction: 'minimize' }],
    threads: 1,
  },
  paramsFile: '/t/params.json',
  study8: 'abcdef01',
  projectRoot: '/p',
  env: { HOME: '/home/me' },
};

describe('placeholders of a command', () => {
  it('gives one word to each parameter', () => {
    expect(expandCommand(['run', '${args}'], context)).toEqual([
      'run',
      '--learning_rate=0.01',
      '--optimizer=adam',
      '--nesterov=true',
      '--frozen=false',
      "--note=it's",
      '--nothing=null',
    ]);
    expect(expandCommand(['${args_no_hyphens}'], context)[0]).toBe('learning_rate=0.01');
    expect(expandCommand(['${args_no_boolean_flags}'], context)).toEqual([
      '--learning_rate=0.01',
      '--optimizer=adam',
      '--nesterov',
      "--note=it's",
      '--nothing=null',
    ]);
  });

  it.each([
    ['${learning_rate}', '0.01'],
    ['${args_json_file}', '/t/params.json'],
    ['${trial_number}-${seed}', '7-42'],
    ['${trial_dir} ${checkpoint_dir}', '/t /t/checkpoint'],
    ['${study8} ${project_root}', 'abcdef01 /p'],
    ['${envvar:HOME}/x', '/home/me/x'],
    ['$${plain}', '${plain}'],
    ['${inactive}', ''],
    ['a=${+db/engine@größe}', 'a='],
    [
      'x ${args}',
      "x --learning_rate=0.01 --optimizer=adam --nesterov=true --frozen=false '--note=it'\\''s' --nothing=null",
    ],
  ])('%s', (word, expected) => {
    expect(expandWord(word, context)).toBe(expected);
  });
});

describe('output of a command', () => {
  it.each([
    ['{"step": 3, "value": 0.91}', { kind: 'report', step: 3, value: 0.91 }],
    ['{"step": 0, "value": NaN}', { kind: 'report', step: 0, value: NaN }],
    ['{"value": 0.93}', { kind: 'result', result: { value: 0.93 } }],
    ['  {"val_accuracy": 0.9, "backend": "cpu"} ', { kind: 'result', result: { val_accuracy: 0.9, backend: 'cpu' } }],
    ['{"values": [1, 2]}', { kind: 'result', result: { values: [1, 2] } }],
    ['{"message": "hello"}', { kind: 'text' }],
    ['{not json}', { kind: 'text' }],
    ['epoch 3 done', { kind: 'text' }],
  ])('%s', (line, expected) => {
    expect(readOutputLine(line)).toEqual(expected);
  });

  it.each([
    ['0.93', 0.93],
    [' -1e-3 ', -0.001],
    ['.5', 0.5],
    ['inf', Infinity],
    ['-Infinity', -Infinity],
    ['nan', NaN],
    ['loss: 0.93', undefined],
    ['', undefined],
    ['1,5', undefined],
  ])('last line %s', (line, expected) => {
    expect(readLastNumber(line)).toEqual(expected);
  });

  it('cuts a stream into lines wherever it breaks', () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    for (const piece of ['a\nb', 'c\n', '\nd']) splitter.write(piece);
    splitter.end();
    expect(lines).toEqual(['a', 'bc', '', 'd']);
  });
});

describe('results', () => {
  const one = [{ name: 'loss', direction: 'minimize' }] as const;
  const two = [...one, { name: 'accuracy', direction: 'maximize' }] as const;

  it('takes a number, a list, or metrics by name', () => {
    expect(outcomeOf(0.5, one)).toMatchObject({ state: 'complete', values: [0.5] });
    expect(outcomeOf([0.5, 0.9], two)).toMatchObject({ state: 'complete', values: [0.5, 0.9] });
    expect(outcomeOf({ accuracy: 0.9, loss: 0.5, seconds: 3 }, two)).toMatchObject({
      state: 'complete',
      values: [0.5, 0.9],
      metrics: { seconds: 3 },
    });
    expect(outcomeOf({ value: 1 }, one)).toMatchObject({ state: 'complete', values: [1] });
  });

  it.each([
    [undefined, one, /gave back nothing/],
    [NaN, one, /loss is NaN/],
    ['0.5', one, /not a number/],
    [[1], two, /1 values, but the study has 2/],
    [{ los: 1 }, one, /no loss; it gave los\. Is metric\.name meant to be "los"\?/],
    [{ loss: 'low' }, one, /loss is "low"/],
  ])('%j fails with what was found', (result, metrics, message) => {
    const outcome = outcomeOf(result, metrics);
    expect(outcome).toMatchObject({ state: 'failed' });
    expect(outcome.state === 'failed' ? outcome.failure.message : '').toMatch(message);
  });
});
