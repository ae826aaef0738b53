import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A real Ray of one machine, a test's own: its ports and folder. Needs the lane's Python. */
export class OwnRay {
  readonly address: string;
  readonly #folder: string;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.address = `http://127.0.0.1:${port}`;
  }

  static async start(cpus: number): Promise<OwnRay> {
    const ports = await freePorts(4);
    const [gcs = 0, dashboard = 0, agent = 0, agentGrpc = 0] = ports;
    // Sockets lie in it, whose paths must be short.
    const ray = new OwnRay(mkdtempSync(join(tmpdir(), 'rs-ray-')), dashboard);
    const program = join(dirname(process.env['RESWEEP_PYTHON'] ?? ''), 'ray');
    const args = [
      'start',
      '--head',
      '--node-ip-address=127.0.0.1',
      `--port=${gcs}`,
      '--dashboard-host=127.0.0.1',
      `--dashboard-port=${dashboard}`,
      `--dashboard-agent-listen-port=${agent}`,
      `--dashboard-agent-grpc-port=${agentGrpc}`,
      `--num-cpus=${cpus}`,
      '--object-store-memory=100000000',
      `--temp-dir=${ray.#folder}`,
      '--disable-usage-stats',
    ];
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, RAY_DEDUP_LOGS: '0' },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
    const code = await new Promise((resolve) => child.once('exit', resolve));
    try {
      if (code !== 0) throw new Error(`ray start ended with ${String(code)}: ${output.slice(-2_000)}`);
      for (let attempt = 0; ; attempt++) {
        const answer = await fetch(`${ray.address}/api/jobs/`).catch(() => undefined);
        if (answer?.ok === true) return ray;
        if (attempt > 120) throw new Error('The Jobs API does not come up.');
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    } catch (error) {
      await ray.remove();
      throw error;
    }
  }

  /** Ends what belongs to it, by process id: its own command ends every Ray of the machine. */
  async remove(): Promise<void> {
    for (let attempt = 0; attempt < 40; attempt++) {
      const mine = this.#processes();
      if (mine.length === 0) break;
      for (const pid of mine) {
        try {
          process.kill(pid, attempt < 8 ? 'SIGTERM' : 'SIGKILL');
        } catch {
          // It has ended meanwhile.
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Processes that name its folder in their arguments or environment. */
  #processes(): number[] {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && pid !== process.pid)
      .filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(this.#folder);
        } catch {
          return false;
        }
      });
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ports.push((server.address() as AddressInfo).port);
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  return ports;
}
