/** Options that every command takes. */
export const globalOptions = {
  json: { type: 'boolean', default: false, describe: 'Print one JSON document on stdout, nothing else', global: true },
  quiet: { type: 'boolean', default: false, describe: 'Only results and problems', global: true },
  verbose: { type: 'boolean', default: false, describe: 'Every log line', global: true },
} as const;
