/**
 * Brings a checkout into a state in which everything runs: packages installed, sources compiled. Called by every npm
 * script; says what it does and is silent where nothing is to do. Needs nothing but Node.
 *
 *   node scripts/bootstrap.mjs [--no-build | --anew]     --anew: nothing of an earlier build stays
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`resweep needs Node 20.19 or newer; this is ${process.versions.node} (${process.execPath}).`);
  process.exit(1);
}

const { installState, install } = await import('./lib/install.mjs');
const { isBuilt, build, removeBuild } = await import('./lib/build.mjs');
const withBuild = !process.argv.includes('--no-build');
if (process.argv.includes('--anew')) removeBuild();

if (installState() !== 'nothing' || (withBuild && !isBuilt())) {
  const { withLock } = await import('./lib/lock.mjs');
  const good = await withLock('bootstrap', async () => {
    // Another process may have done it while this one waited for the lock.
    const state = installState();
    if (state !== 'nothing' && !(await install(state))) return false;
    return !withBuild || isBuilt() || build();
  });
  if (!good) process.exitCode = 1;
}
