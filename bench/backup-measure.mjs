// What the benches of backups have in common: their options, and the statistics of what they measured.

/** Takes an option, and its value where it has one, out of the arguments; undefined where it is not given. */
export function take(args, option, hasValue) {
  const at = args.indexOf(option);
  if (at < 0) return undefined;
  const [, value] = args.splice(at, hasValue ? 2 : 1);
  return hasValue ? value : true;
}

/** How long a comparison of sweeps is: `--short`, `--pairs N`, `--seconds S` (of a trial). The other arguments stay. */
export function takeLength(args) {
  const isShort = take(args, '--short', false) ?? false;
  return {
    isShort,
    pairs: Number(take(args, '--pairs', true) ?? (isShort ? 5 : 20)),
    seconds: Number(take(args, '--seconds', true) ?? (isShort ? 0.3 : 2)),
    trials: isShort ? 12 : 50,
  };
}

export function median(values) {
  const all = values.toSorted((a, b) => a - b);
  return (all[(all.length - 1) >> 1] + all[all.length >> 1]) / 2;
}

/** Upper 95 % bound of the median, from order statistics (no assumption but independence); undefined for fewer than 5 values. */
export function upperBoundOfMedian(values) {
  const n = values.length;
  const sorted = values.toSorted((a, b) => a - b);
  let term = 2 ** -n;
  let below = 0;
  for (let k = 1; k <= n; k++) {
    below += term; // P(fewer than k of n lie below the median)
    if (below >= 0.95) return sorted[k - 1];
    term *= (n - k + 1) / k;
  }
  return undefined;
}

/** With four digits at most. */
export function show(value) {
  return String(Number(value.toPrecision(4)));
}
