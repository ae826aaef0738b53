import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { CliProject } from '../../support/cli-project.js';
import { filesBelow, flipByte, packsOf } from '../../support/backup-project.js';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

interface Saved {
  readonly at: number;
  readonly finished: number;
}

const EVERY_MS = 3_000;

describe('three destinations, each with its own interval and priority', () => {
  let project: CliProject;
  let studyDb: string;
  beforeAll(() => {
    project = new CliProject({
      pauseMs: 150,
      config: [
        'parallel: 1',
        'backup: { destinations: [' +
          '{ name: each, type: folder, path: each, priority: 2 }, ' +
          '{ name: some, type: folder, path: some, every: 5 trials, priority: 1 }, ' +
          `{ name: timed, type: folder, path: timed, every: ${EVERY_MS / 1000}s, priority: 3 }] }`,
      ].join('\n'),
    });
    const summary = project.json<{ studyDb: string }>('run', project.config, '--trials', '17');
    studyDb = relative(project.folder, summary.studyDb);
  });
  afterAll(() => {
    project.remove();
  });
  /** None where the study alone was brought back. */
  const events = (): Record<string, unknown>[] =>
    filesBelow(project.folder)
      .filter((file) => file === join(dirname(studyDb), 'events.jsonl'))
      .map((file) => readFileSync(join(project.folder, file), 'utf8'))
      .join('')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  /** Saves of the study at a destination, in order, since an event. */
  const saves = (destination: string, since = 0): Saved[] =>
    events()
      .slice(since)
      .filter((event) => event['event'] === 'backup' && event['destination'] === destination)
      .filter(({ path }) => typeof path === 'string' && path.endsWith('/study.db'))
      .map((event) => ({ at: Date.parse(String(event['at'])), finished: Number(event['finishedTrials']) }));
  const loseOutputs = (): void => {
    rmSync(join(project.folder, 'outputs'), { recursive: true });
  };

  it('sends to each as often as it says, and to all at the end', () => {
    const [each, some, timed] = [saves('each'), saves('some'), saves('timed')];
    for (const all of [each, some, timed]) expect(all.at(-1)?.finished).toBe(17);
    const steps = (all: readonly Saved[], of: (saved: Saved) => number): number[] =>
      all.slice(1, -1).map((saved, index) => of(saved) - of(all[index] ?? saved));
    expect(steps(some, ({ finished }) => finished).length).toBeGreaterThan(0);
    for (const step of steps(some, ({ finished }) => finished)) expect(step).toBeGreaterThanOrEqual(5);
    expect(steps(timed, ({ at }) => at).length).toBeGreaterThan(0);
    // From the end of one save to the end of the next: a little less than between their beginnings.
    for (const step of steps(timed, ({ at }) => at)) expect(step).toBeGreaterThan(EVERY_MS - 100);
    expect(each.length).toBeGreaterThan(Math.max(some.length, timed.length));
  });

  it('restores from the one that comes first, and from the next where that is damaged', () => {
    loseOutputs();
    expect(project.run('restore', studyDb).stdout).toMatch(/study\.db: restored from some/);
    for (const pack of packsOf(join(project.folder, 'some'))) flipByte(pack);
    rmSync(join(project.folder, 'some', studyDb));
    loseOutputs();
    const { code, stdout, stderr } = project.run('restore', studyDb);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/study\.db: restored from each/);
    expect(stdout + stderr).toMatch(/some.*cannot be used/);
    expect(project.json<{ trials: { finished: number } }>('status', project.config)).toMatchObject({
      trials: { complete: 17 },
    });
  });

  it('one that fails delays no other and stops nothing; it is shown until it works again', () => {
    rmSync(join(project.folder, 'some'), { recursive: true });
    writeFileSync(join(project.folder, 'some'), 'a file where a folder should be');
    const before = events().length;
    const summary = project.json<{
      trials: { complete: number };
      backup: { destinations: { name: string; error: string | null }[] };
    }>('run', project.config, '--trials', '22');
    expect(summary.trials.complete).toBe(22);
    const errors = Object.fromEntries(summary.backup.destinations.map(({ name, error }) => [name, error]));
    expect(errors).toMatchObject({ each: null, timed: null });
    expect(errors['some']).toMatch(/not a folder/);

    const since = events().slice(before);
    // Saved while the sweep went on, not only by the flush at its end.
    const ends = since.filter(({ event }) => event === 'trial-ended').map(({ at }) => Date.parse(String(at)));
    expect(saves('each', before).filter(({ at }) => at < Math.max(...ends)).length).toBeGreaterThan(1);
    expect(saves('some', before)).toEqual([]);
    const failures = since.filter(
      ({ event, destination, path }) =>
        event === 'backup-failed' && destination === 'some' && String(path).endsWith('study.db'),
    );
    expect(failures).toHaveLength(1);

    expect(project.run('status', project.config).stdout).toMatch(/some: .*not a folder/);
    const { backup } = project.json<{ backup: { name: string; error: string | null }[] }>('status', project.config);
    expect(backup.filter(({ error }) => error !== null).map(({ name }) => name)).toEqual(['some']);
    // Every command says what is wrong there and what to do, once, and its exit code tells.
    const fix = /some: \S+ is not a folder\. Move that file away, or name another folder\./;
    for (const [words, exit] of [
      ['backup now', 1],
      ['backup list', 1],
      ['backup verify', 1],
      ['backup repair', 1],
      ['backup drill', 3],
    ] as const) {
      const { code, stdout, stderr } = project.run(...words.split(' '), project.config);
      expect(code, words).toBe(exit);
      expect(stdout + stderr, words).toMatch(fix);
      expect(stdout + stderr, words).not.toMatch(/some: some: |all good|nothing is damaged now/);
    }
    loseOutputs();
    const only = project.run('restore', project.config, '--from', 'some');
    // Nothing is damaged: it can be tried again.
    expect(only).toMatchObject({ code: 1 });
    expect(only.stderr).toMatch(fix);
    expect(only.stderr).toMatch(/Try: Bring one of them within reach/);
    expect(project.run('restore', studyDb).stdout).toMatch(/study\.db: restored from each/);

    rmSync(join(project.folder, 'some'));
    project.run('run', project.config, '--trials', '23', '--quiet');
    expect(project.run('status', project.config).stdout).toMatch(/some: 23 finished trials safe/);
    loseOutputs();
    expect(project.run('restore', studyDb).stdout).toMatch(/study\.db: restored from some/);
  });

  it('one that was emptied is told from a good one, until it is filled again', () => {
    expect(project.run('backup', 'now', project.config).code).toBe(0);
    rmSync(join(project.folder, 'timed'), { recursive: true });
    const verified = project.run('backup', 'verify', project.config);
    expect(verified.code).toBe(3);
    expect(verified.stdout).toMatch(/missing {2}timed: \S+: no saved state of it is there/);
    expect(verified.stdout).toMatch(/0 damaged, 1 missing\./);
    expect(verified.stdout).toMatch(/resweep backup now \S+ +saves it there/);
    expect(verified.stdout).not.toMatch(/backup repair/);
    // What a command did is among the events, as what a sweep does.
    expect(saves('timed').at(-1)?.finished).toBe(23);
    const shown = project.run('status', project.config).stdout;
    expect(shown).toMatch(/timed: .*NOTHING WAS THERE\n.*Verified timed: .*nothing of it is there/);
    expect(shown).toMatch(/each: .*all good/);
    expect(project.run('backup', 'now', project.config).code).toBe(0);
    expect(project.run('status', project.config).stdout).not.toMatch(/NOTHING WAS THERE|DAMAGED|Verified timed/);
    expect(project.run('backup', 'verify', project.config, '--deep').code).toBe(0);
  });

  it('status shows what another process took over, and times of a clock that was ahead', () => {
    const file = join(project.folder, dirname(studyDb), 'events.jsonl');
    const note = (event: Record<string, unknown>): void => {
      appendFileSync(file, `${JSON.stringify(event)}\n`);
    };
    const message = 'Another process (far, pid 1) is at work on this study on each.';
    const at = new Date().toISOString();
    note({ at, event: 'ownership', destination: 'each', path: 'study.db', outcome: 'failed', message });
    const ahead = '2999-01-01T00:00:00.000Z';
    note({ at: ahead, event: 'backup', destination: 'some', path: studyDb, finishedTrials: 23, verified: 'verified' });
    const verification = { at, event: 'verification', destination: 'each' };
    note({ ...verification, outcome: 'warning', finding: 'unchecked', message: 'no answer at first' });
    expect(project.run('status', project.config).stdout).toMatch(
      /each: .*could not be checked\n[^]*no answer at first/,
    );
    // Not to have looked takes back nothing that was found.
    note({ ...verification, outcome: 'failed', finding: 'damaged', message: 'a pack is broken' });
    note({ ...verification, outcome: 'warning', finding: 'unchecked', message: 'no answer later' });
    const { stdout } = project.run('status', project.config);
    expect(stdout).toMatch(/each: .*DAMAGED/);
    expect(stdout).toContain('a pack is broken');
    expect(stdout).not.toContain('no answer');
    expect(stdout).toContain(message);
    expect(stdout).toMatch(
      /some: 23 finished trials safe, verified at 2999-01-01 00:00 UTC, by a clock that was ahead/,
    );
    expect(stdout).not.toMatch(/-\d+(?:\.\d+)? s ago/);
  });

  it('a restore of which a part failed says so with its exit code; wrong words are refused also where nothing is to do', () => {
    for (const name of ['each', 'some', 'timed']) {
      const place = join(project.folder, name);
      const packs = new Set<string>();
      for (const file of filesBelow(place).filter((one) => /targets\/[^/]+\/[0-9a-f]{8}\./.test(one))) {
        const manifest = JSON.parse(readFileSync(join(place, file), 'utf8')) as {
          kind: string;
          packs: { sha256: string }[];
        };
        if (manifest.kind === 'folder') for (const { sha256 } of manifest.packs) packs.add(sha256);
      }
      for (const sha256 of packs) writeFileSync(join(place, '.resweep', 'packs', `${sha256}.pack`), 'damaged');
      for (const file of filesBelow(join(place, dirname(studyDb))))
        if (!file.endsWith('.db')) rmSync(join(place, dirname(studyDb), file));
    }
    loseOutputs();
    const { code, stdout, stderr } = project.run('restore', project.config);
    expect(stdout).toMatch(/study\.db: restored from/);
    expect(stderr).toMatch(/study-[0-9a-f]{8} was not restored \(damaged\): No backup of/);
    expect(code).toBe(3);
    expect(project.run('restore', studyDb, '--at', 'yesterday')).toMatchObject({ code: 2 });
    const misplaced = project.run('restore', studyDb, '--to', project.config);
    expect(misplaced).toMatchObject({ code: 2 });
    expect(misplaced.stderr).toMatch(/--to takes a folder to restore into, but \S+sweep\.yaml is a file/);
  });
});
