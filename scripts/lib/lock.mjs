import { linkSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { cacheFolder } from './paths.mjs';
import { say } from './say.mjs';

const BEAT_MS = 2_000;
/** No beat for this long: the holder is gone, wherever it ran. */
const STALE_MS = 30_000;

/**
 * Runs `work` while no other process of this checkout does the same. A holder that was killed is noticed: at once on
 * this machine, after half a minute elsewhere (a folder shared between machines or containers).
 */
export async function withLock(name, work) {
  mkdirSync(cacheFolder, { recursive: true });
  const file = join(cacheFolder, `${name}.lock`);
  let told = false;
  while (!take(file)) {
    const holder = read(file);
    if (holder !== undefined && isGone(file, holder)) {
      dropStale(file, holder);
      continue;
    }
    if (!told && holder !== undefined) {
      told = true;
      say(`Another process (${holder.split(' ')[0]}) is preparing this checkout: waiting for it.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const beat = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(file, now, now);
    } catch {
      // Somebody removed the file by hand: the next beat or the end finds nothing to do.
    }
  }, BEAT_MS);
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    process.off('exit', release);
    release();
  }
}

/** Appears with its content in one step, so that no reader sees it empty. */
function take(file) {
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, `${process.pid} ${hostname()} ${Date.now()}`);
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    if (error.code === 'ENOENT') return false;
    // A file system without hard links.
    try {
      writeFileSync(file, readFileSync(mine), { flag: 'wx' });
      return true;
    } catch {
      return false;
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function isGone(file, holder) {
  const [pid, host] = holder.split(' ');
  try {
    if (Date.now() - statSync(file).mtimeMs > STALE_MS) return true;
  } catch {
    return false;
  }
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Only one of several waiting processes removes a stale lock, and only while it still is that one. */
function dropStale(file, holder) {
  const guard = `${file}.stale`;
  try {
    mkdirSync(guard);
  } catch {
    try {
      if (Date.now() - statSync(guard).mtimeMs > STALE_MS) rmSync(guard, { recursive: true, force: true });
    } catch {
      // Gone meanwhile.
    }
    return;
  }
  try {
    if (read(file) === holder) rmSync(file, { force: true });
  } finally {
    rmSync(guard, { recursive: true, force: true });
  }
}
