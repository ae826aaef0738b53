import { startDashboard } from '../../dashboard/server.js';
import type { DashboardArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';
import { withStopSignals } from '../stop-signals.js';

/** `resweep dashboard`: serves until a signal ends it, which is its good end. */
export async function dashboard(args: DashboardArguments): Promise<void> {
  const output = outputOf(args);
  const { places, host, port, token, allowHost } = args;
  const running = await startDashboard({ places, host, port, token, allowHosts: allowHost });
  if (output.json) output.document({ url: running.url, token: running.token ?? null });
  output.print(`Dashboard: ${output.style('bold', running.url)}`);
  if (running.token !== undefined) output.print('Whoever has this address can look at the studies and change them.');
  output.print('Ctrl-C ends it.');
  await withStopSignals(
    () => undefined,
    (signal) =>
      new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          resolve();
        });
      }),
  );
  await running.close();
}
