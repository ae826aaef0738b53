import { existsSync } from 'node:fs';
import { connect } from 'node:net';

import { at } from './paths.mjs';
import { pythonWith } from './python.mjs';
import { onPath, pathOf, runCommand } from './run-command.mjs';

/**
 * What a lane prepares before its tests. `env` goes to the tests; each problem names a part that cannot be had here,
 * which tests find by its variable being unset. Without `essential` parts the lane has nothing to run.
 *
 * @typedef {{ env: Record<string, string | undefined>, problems: string[], essential?: boolean }} Prepared
 */

/** Servers that the `services` lane uses: variable, what it is, where it is looked for. */
export const servers = [
  ['RESWEEP_TEST_POSTGRES_URL', 'PostgreSQL', 'postgresql://postgres@127.0.0.1:5432/postgres'],
  ['RESWEEP_TEST_MYSQL_URL', 'MySQL or MariaDB', 'mysql://root@127.0.0.1:3306/mysql'],
];

const chromiums = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Variables without which `live` has nothing to talk to. */
const credentials = {
  RESWEEP_LIVE_GOOGLE_CREDENTIALS: 'Google Drive',
  RESWEEP_LIVE_S3_BUCKET: 'S3',
  RESWEEP_LIVE_GITHUB_REPOSITORY: 'GitHub Releases',
};

/** Path of a Chromium, as playwright asks for it; undefined where there is none. */
function chromium() {
  const name = chromiums.find(onPath);
  return process.env.RESWEEP_CHROMIUM ?? (name === undefined ? undefined : pathOf(name));
}

const prepareBy = {
  interop: async () => {
    const prepared = await prepareBy.services();
    const found = chromium();
    prepared.env.RESWEEP_CHROMIUM = found;
    if (found === undefined) prepared.problems.push('no Chromium (Debian: apt-get install chromium)');
    delete prepared.env.RESWEEP_TEST_MYSQL_URL;
    return { ...prepared, problems: prepared.problems.filter((problem) => !problem.startsWith('MySQL')) };
  },
  services: async () => {
    const prepared = { env: {}, problems: [] };
    for (const [variable, name, standard] of servers) {
      const url = process.env[variable] ?? standard;
      const reachable = await answers(new URL(url));
      prepared.env[variable] = reachable ? url : undefined;
      if (!reachable) prepared.problems.push(`${name} does not answer at ${hostOf(url)} (set ${variable})`);
    }
    return prepared;
  },
  tensorflow: async () => {
    const { code, output } = await runCommand(process.execPath, [
      at('dist', 'cli', 'main.js'),
      'doctor',
      '--fix',
      'tensorflow',
    ]);
    const reason = output.trim().split('\n').at(-1) ?? '';
    return code === 0
      ? { env: { RESWEEP_TEST_NATIVE: '1' }, problems: [] }
      : { env: {}, problems: [`the native TensorFlow cannot be built: ${reason}`], essential: true };
  },
  browser: () => {
    const found = chromium();
    return found === undefined
      ? {
          env: {},
          problems: ['no Chromium (Debian: apt-get install chromium; or set RESWEEP_CHROMIUM)'],
          essential: true,
        }
      : { env: { RESWEEP_CHROMIUM: found }, problems: [] };
  },
  cluster: async () => {
    const [variable, name, standard] = servers[0];
    const url = process.env[variable] ?? standard;
    const reachable = await answers(new URL(url));
    const slurm = ['slurmctld', 'munged'].every((name) => onPath(name) || existsSync(`/usr/sbin/${name}`));
    return {
      env: { RESWEEP_TEST_SLURM: slurm ? '1' : undefined, [variable]: reachable ? url : undefined },
      problems: [
        ...(slurm ? [] : ['no Slurm (Debian: apt-get install slurm-wlm munge)']),
        ...(reachable ? [] : [`${name} does not answer at ${hostOf(url)} (set ${variable})`]),
      ],
      essential: !reachable,
    };
  },
};

/** Prepares a lane: its Python packages where it has a requirements.txt, then what it alone needs. */
export async function prepare(lane, folders) {
  const prepared = { env: {}, problems: [], essential: false };
  const requirements = folders.map((folder) => `${folder}/requirements.txt`).find(existsSync);
  if (requirements !== undefined) {
    const { python, problem } = await pythonWith(requirements);
    prepared.env.RESWEEP_PYTHON = python;
    if (problem !== undefined) {
      prepared.problems.push(problem);
      prepared.essential = lane === 'interop' || lane === 'bench';
    }
  }
  const own = await prepareBy[lane]?.();
  if (own === undefined) return prepared;
  return {
    env: { ...prepared.env, ...own.env },
    problems: [...prepared.problems, ...own.problems],
    essential: prepared.essential || own.essential === true,
  };
}

/** Names of the services whose credentials are set, for `live`. */
export function liveServices() {
  return Object.entries(credentials)
    .filter(([variable]) => process.env[variable])
    .map(([, name]) => name);
}

function hostOf(url) {
  return new URL(url).host;
}

function answers({ hostname, port }) {
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: 2_000 });
    const end = (good) => {
      socket.destroy();
      resolve(good);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
