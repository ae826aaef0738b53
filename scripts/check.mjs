/** `npm run check`: types, lint, format, layers, dead code. All run, whatever fails. */
import { runChecks } from './lib/checks.mjs';
import { heading, resultLine } from './lib/results.mjs';
import { say } from './lib/say.mjs';

heading('checks');
const total = await runChecks({ atOnce: 2 });
say();
say(resultLine(total));
if (total.failed > 0) process.exitCode = 1;
