import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/** A real Slurm of one node, a test's own: its ports, folders and processes. Needs root and Debian's slurm-wlm and munge. */
export class OwnSlurm {
  readonly #folder = mkdtempSync(join(tmpdir(), 'resweep-slurm-'));
  readonly #started: ChildProcess[] = [];
  #ports: readonly number[] = [];

  /** What programs need to find it. */
  get environment(): Readonly<Record<string, string>> {
    return { SLURM_CONF: join(this.#folder, 'slurm.conf') };
  }

  /** Brings it up. `settings` are added to slurm.conf. */
  static async start(settings: readonly string[] = []): Promise<OwnSlurm> {
    const slurm = new OwnSlurm();
    try {
      await slurm.#start(settings);
    } catch (error) {
      await slurm.remove();
      throw error;
    }
    return slurm;
  }

  /** Runs one of Slurm's programs. */
  run(program: string, ...args: readonly string[]): string {
    return execFileSync(program, args, { encoding: 'utf8', env: { ...process.env, ...this.environment } });
  }

  async remove(): Promise<void> {
    spawnSync('scancel', ['--state=ALL', '--user=root'], { env: { ...process.env, ...this.environment } });
    await new Promise((resolve) => setTimeout(resolve, 500));
    for (const child of [...this.#started].reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(timer);
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #start(settings: readonly string[]): Promise<void> {
    // Its daemon of credentials wants a folder that everybody can enter.
    chmodSync(this.#folder, 0o755);
    const host = hostname();
    this.#ports = [await freePort(), await freePort()];
    for (const name of ['state', 'spool', 'log']) mkdirSync(join(this.#folder, name));
    const at = (name: string): string => join(this.#folder, name);
    this.#munge();
    writeFileSync(
      at('slurm.conf'),
      [
        'ClusterName=resweep',
        `SlurmctldHost=${host}(127.0.0.1)`,
        `SlurmctldPort=${this.#ports[0] ?? 0}`,
        `SlurmdPort=${this.#ports[1] ?? 0}`,
        'SlurmUser=root',
        'SlurmdUser=root',
        'AuthType=auth/munge',
        // A job that is queued again waits until its old credential is void: two minutes by default.
        `AuthInfo=socket=${at('munge.socket')},cred_expire=5`,
        `StateSaveLocation=${at('state')}`,
        `SlurmdSpoolDir=${at('spool')}`,
        `SlurmctldPidFile=${at('slurmctld.pid')}`,
        `SlurmdPidFile=${at('slurmd.pid')}`,
        `SlurmctldLogFile=${at('log/slurmctld.log')}`,
        `SlurmdLogFile=${at('log/slurmd.log')}`,
        'ProctrackType=proctrack/linuxproc',
        'TaskPlugin=task/none',
        'JobAcctGatherType=jobacct_gather/none',
        'AccountingStorageType=accounting_storage/none',
        'SelectType=select/cons_tres',
        'SelectTypeParameters=CR_Core',
        'ReturnToService=2',
        'MpiDefault=none',
        // More processors than a small machine has: workers here mostly wait.
        'SlurmdParameters=config_overrides',
        'KillWait=20',
        'SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0',
        `NodeName=${host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=2000 State=UNKNOWN`,
        ...settings,
        '',
      ].join('\n'),
    );
    this.#spawn('slurmctld', ['-D', '-c', '-f', at('slurm.conf')]);
    this.#spawn('slurmd', ['-D', '-N', host, '-f', at('slurm.conf')]);
    for (let attempt = 0; attempt < 120; attempt++) {
      const { stdout } = spawnSync('sinfo', ['-h', '-o', '%T'], {
        encoding: 'utf8',
        env: { ...process.env, ...this.environment },
      });
      if (stdout.includes('idle')) return;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    throw new Error('Slurm does not come up.');
  }

  /** A munge of its own: key, socket, all in this folder. */
  #munge(): void {
    const key = join(this.#folder, 'munge.key');
    writeFileSync(key, Buffer.alloc(128, 'resweep'), { mode: 0o600 });
    this.#spawn('munged', [
      '--foreground',
      '--force',
      `--key-file=${key}`,
      `--socket=${join(this.#folder, 'munge.socket')}`,
      `--pid-file=${join(this.#folder, 'munge.pid')}`,
      `--log-file=${join(this.#folder, 'munge.log')}`,
      `--seed-file=${join(this.#folder, 'munge.seed')}`,
    ]);
  }

  #spawn(program: string, args: readonly string[]): void {
    const path = existsSync(`/usr/sbin/${program}`) ? `/usr/sbin/${program}` : program;
    const child = spawn(path, args, { stdio: 'ignore', env: { ...process.env, ...this.environment } });
    child.on('error', () => undefined);
    this.#started.push(child);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
