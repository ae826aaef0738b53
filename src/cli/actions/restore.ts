import type { JsonValue } from '../../core/json.js';
import { UsageError } from '../../core/errors.js';
import { isArchiveFile, restoreFromArchive, type RestoreResult } from '../../app/backup/archive-commands.js';
import { hasDestination, restoreExitCode, restoreSweep } from '../../app/backup/backup-commands.js';
import { configForPath, isConfigFile } from '../../app/studies/find-config.js';
import type { RestoreArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';
import { RestoreDisplay } from '../display/restore-progress.js';
import { formatBytes, logTo } from '../output.js';

/** `resweep restore [CONFIG] [PATH]`. */
export async function restore(args: RestoreArguments): Promise<void> {
  const output = outputOf(args);
  const display = new RestoreDisplay(output);
  const results = await restored(args, logTo(output), display.show).finally(() => {
    display.close();
  });
  if (output.json) output.document(results as unknown as JsonValue);
  for (const result of results) {
    for (const fallback of result.fellBack) {
      output.warn(`${fallback.destination} ${fallback.snapshot} was passed over: ${fallback.reason}`);
    }
    const exitCode = restoreExitCode(result);
    if (exitCode !== 0) {
      // The database came back; what lies around it did not.
      process.exitCode = exitCode;
      output.warn(`${result.path} was not restored (${result.status}): ${result.error ?? 'no copy could be used.'}`);
      continue;
    }
    const where = result.destination === undefined ? '' : ` from ${result.destination}`;
    const when = result.createdAt === undefined ? '' : `, saved ${result.createdAt}`;
    const size = result.bytes > 0 ? `, ${formatBytes(result.bytes)}` : '';
    output.print(
      result.status === 'present'
        ? `${result.path} is there already and was left as it is.`
        : `${result.path}: ${result.status}${where}${when}${size}`,
    );
    for (const other of result.otherBranches) {
      output.print(
        `  another history exists: ${other.snapshot === undefined ? `--branch ${other.branch}` : `--at ${other.snapshot}`} (${other.finished} finished trials, on ${other.destination})`,
      );
    }
  }
}

async function restored(
  args: RestoreArguments,
  log: ReturnType<typeof logTo>,
  onProgress: RestoreDisplay['show'],
): Promise<RestoreResult[]> {
  const { set, at, from, to, branch } = args;
  // The first word may be a path whose configuration is to be found.
  const isConfig = args.config !== undefined && isConfigFile(args.config);
  const path = isConfig ? args.path : (args.config ?? args.path);
  const isDestination =
    from !== undefined && isConfig && (await hasDestination({ configPath: args.config, set }, from));
  if (from !== undefined && !isDestination && isArchiveFile(from))
    return restoreFromArchive({ file: from, path, at, to, log, onProgress });
  if (!isConfig && path === undefined) {
    throw new UsageError('What is to be restored?', {
      hint: 'resweep restore CONFIG, resweep restore PATH, or resweep restore --from FILE',
    });
  }
  const configPath = isConfig ? args.config : await configForPath(path ?? '');
  return restoreSweep({ configPath, set, path, at, from, to, branch, log, onProgress });
}
