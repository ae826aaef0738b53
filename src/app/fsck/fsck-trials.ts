import type { Finding } from './fsck-finding.js';
import { NopPruner } from '../../pruners/nop-pruner.js';
import { RandomSampler } from '../../samplers/random-sampler.js';
import { openStorage } from '../../storage/open-storage.js';
import { isAlive } from '../../storage/process-identity.js';
import { loadStudy } from '../../study/create-study.js';

type LockFinding = Pick<Finding, 'problem' | 'remedy' | 'state'>;

/** Trials that are held by processes that are gone, and what such processes left registered. Nothing is written where there is nothing. */
export async function releaseLostTrials(path: string, dryRun: boolean): Promise<LockFinding[]> {
  const found = await look(path, true);
  return dryRun || found.length === 0 ? found : look(path, false);
}

async function look(path: string, dryRun: boolean): Promise<LockFinding[]> {
  const findings: LockFinding[] = [];
  const storage = await openStorage(path, { readOnly: dryRun });
  try {
    const gone = (await storage.processes()).filter((process) => isAlive(process) === 'dead');
    const held = new Set<number>();
    for (const { studyId, studyName } of await storage.listStudies()) {
      for (const { trialId, process } of await storage.runningTrials(studyId))
        if (process !== undefined && isAlive(process) === 'dead') held.add(trialId);
      if (dryRun) continue;
      const study = await loadStudy({ storage, studyName, sampler: new RandomSampler(), pruner: new NopPruner() });
      await study.interruptStaleTrials();
      await study.leave();
    }
    if (!dryRun) for (const { processId } of gone) await storage.unregisterProcess(processId);
    if (held.size > 0)
      findings.push({
        problem: `${held.size} trials are held by processes that are gone`,
        remedy: 'They are given up and queued again with their parameters and checkpoints.',
        state: dryRun ? 'repairable' : 'repaired',
      });
    if (gone.length > 0)
      findings.push({
        problem: `${gone.length} processes that are gone are still registered (${gone.map(({ host, pid }) => `${host}:${pid}`).join(', ')})`,
        remedy: 'Their registrations are removed.',
        state: dryRun ? 'repairable' : 'repaired',
      });
  } finally {
    await storage.close();
  }
  return findings;
}
