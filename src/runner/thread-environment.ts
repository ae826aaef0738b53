/** Variables by which numeric libraries are told how many threads they may use. */
const THREAD_VARIABLES = [
  'OMP_NUM_THREADS',
  'OPENBLAS_NUM_THREADS',
  'MKL_NUM_THREADS',
  'NUMEXPR_NUM_THREADS',
  'VECLIB_MAXIMUM_THREADS',
  'TF_NUM_INTRAOP_THREADS',
] as const;

/** Environment of a trial's process: its share of the processors, unless the user has set the variable. */
export function threadEnvironment(threads: number, env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const set = Object.fromEntries(
    THREAD_VARIABLES.filter((name) => env[name] === undefined).map((name) => [name, String(threads)]),
  );
  return { TF_NUM_INTEROP_THREADS: '1', TF_CPP_MIN_LOG_LEVEL: '2', ...set };
}
