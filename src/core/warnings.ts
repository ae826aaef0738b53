const said = new Set<string>();

/** Tells whoever runs the program of something that is allowed but probably not meant; the same text once per process. */
export function warnOnce(message: string): void {
  if (said.has(message)) return;
  if (said.size > 1_000) said.clear();
  said.add(message);
  process.emitWarning(message, 'ResweepWarning');
}
