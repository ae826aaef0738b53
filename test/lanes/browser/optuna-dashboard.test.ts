import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import type { StudySummary, TrialDetail } from '../../../src/dashboard/api-types.js';
import { DashboardProject } from '../../dashboard/dashboard-support.js';

interface OptunaNote {
  readonly version: number;
  readonly body: string;
}
interface OptunaStudy {
  readonly note: OptunaNote;
  readonly trials: readonly { readonly number: number; readonly note: OptunaNote }[];
}

const SERVER = 'import sys; from optuna_dashboard._cli import main; main()';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('notes beside the real optuna-dashboard', () => {
  let project: DashboardProject;
  let theirs: ChildProcess;
  let url: string;
  let id: string;
  beforeAll(async () => {
    project = new DashboardProject();
    const folder = await project.makeStudy('00000001', 6);
    id = (await project.get<StudySummary[]>('/api/studies'))[0]?.id ?? '';
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    theirs = spawn(
      process.env['RESWEEP_PYTHON'] ?? 'python3',
      ['-c', SERVER, `sqlite:///${join(folder, 'study.db')}`, '--host', '127.0.0.1', '--port', String(port)],
      { stdio: 'ignore' },
    );
    await vi.waitFor(async () => expect((await fetch(`${url}/api/studies`)).status).toBe(200), { timeout: 60_000 });
  });
  afterAll(async () => {
    theirs.kill();
    await project.close();
  });
  const seenThere = async (): Promise<OptunaStudy> =>
    (await (await fetch(`${url}/api/studies/1`)).json()) as OptunaStudy;

  it('ours are shown there', async () => {
    const long = `a note\n${'long '.repeat(600)}\nTags: #baseline`;
    expect((await project.post(`/api/studies/${id}/note`, { trial: 2, version: 0, text: long })).status).toBe(200);
    expect((await project.post(`/api/studies/${id}/note`, { version: 0, text: 'of the study' })).status).toBe(200);
    await expect
      .poll(async () => (await seenThere()).trials[2]?.note, { timeout: 30_000 })
      .toEqual({ version: 1, body: long });
    expect((await seenThere()).note).toEqual({ version: 1, body: 'of the study' });
  });

  it('theirs are shown here, and an edit of an older one is refused', async () => {
    const { trialId } = await project.get<TrialDetail>(`/api/studies/${id}/trials/3`);
    const put = await fetch(`${url}/api/studies/1/${trialId}/note`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ version: 1, body: 'written there\nTags: #theirs' }),
    });
    expect(put.status).toBe(204);
    await expect
      .poll(async () => (await project.get<TrialDetail>(`/api/studies/${id}/trials/3`)).tags, { timeout: 10_000 })
      .toEqual(['theirs']);
    const { note } = await project.get<TrialDetail>(`/api/studies/${id}/trials/3`);
    expect(note).toEqual({ version: 1, text: 'written there\nTags: #theirs' });
    const late = await project.post(`/api/studies/${id}/note`, { trial: 3, version: 0, text: 'late' });
    expect(late.status).toBe(409);
  });
});
