import { closeSync, existsSync, openSync, readSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';

import { UsageError } from '../../core/errors.js';
import { openTarget } from '../../app/studies/open-target.js';
import { TrialFolders } from '../../app/trials/trial-folders.js';
import type { LogsArguments } from '../arguments.js';

/** `resweep logs N`: the trial's log.txt, followed until the trial ends with `--follow`. */
export async function logs(args: LogsArguments): Promise<void> {
  const target = await openTarget(args.target, { studyName: args.study });
  try {
    await target.study.sync();
    const trial = target.study.history.all[args.number];
    if (trial === undefined) {
      throw new UsageError(`There is no trial ${args.number}: the study has ${target.study.history.all.length}.`);
    }
    if (target.studyDir === undefined || target.study8 === undefined) {
      throw new UsageError('This storage has no trial folders, so there are no logs.', {
        hint: 'Name the configuration or the study folder instead of a URL.',
      });
    }
    const folder = new TrialFolders(target.studyDir, target.study8).pathOf(trial, trial.logicalIndex, trial.params);
    const path = join(folder, 'log.txt');
    if (!existsSync(path) && !args.follow) throw new UsageError(`Trial ${args.number} has written no log (${path}).`);
    let position = printFrom(path, 0);
    if (!args.follow || trial.isFinished) return;
    const watcher = existsSync(dirname(path)) ? watch(dirname(path)) : undefined;
    try {
      for (;;) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, 500);
          watcher?.once('change', () => {
            clearTimeout(timer);
            resolve();
          });
        });
        position = printFrom(path, position);
        await target.study.sync();
        if (target.study.history.all[args.number]?.isFinished === true) break;
      }
      printFrom(path, position);
    } finally {
      watcher?.close();
    }
  } finally {
    await target.close();
  }
}

/** Prints what was written since `position`; returns the new one. */
function printFrom(path: string, position: number): number {
  if (!existsSync(path)) return position;
  const file = openSync(path, 'r');
  try {
    const chunk = Buffer.alloc(65_536);
    for (;;) {
      const read = readSync(file, chunk, 0, chunk.length, position);
      if (read === 0) return position;
      process.stdout.write(chunk.subarray(0, read));
      position += read;
    }
  } finally {
    closeSync(file);
  }
}
