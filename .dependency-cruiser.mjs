// Which src folder may import which. One line per folder; the order is the data flow.
const mayImport = {
  core: [],
  algorithms: ['core'],
  config: ['core'],
  samplers: ['core', 'algorithms'],
  pruners: ['core', 'algorithms'],
  storage: ['core'],
  study: ['core', 'algorithms', 'samplers', 'pruners', 'storage'],
  training: ['core'],
  runner: ['core', 'study', 'training'],
  backup: ['core'],
  pipeline: ['core', 'analysis', 'study', 'storage', 'training', 'runner', 'backup'],
  analysis: ['core', 'algorithms'],
  report: ['core', 'analysis'],
  tracking: ['core'],
  launch: ['core', 'config'],
  app: [
    'core',
    'algorithms',
    'config',
    'samplers',
    'pruners',
    'storage',
    'study',
    'training',
    'runner',
    'backup',
    'pipeline',
    'analysis',
    'report',
    'tracking',
    'launch',
  ],
  cli: ['core', 'config', 'app', 'dashboard'],
  dashboard: ['core', 'config', 'analysis', 'report', 'app'],
};

// The same inside src/backup. What all of them may import beside: core, and the two files of words that callers are told.
const backupMayImport = {
  files: [],
  destinations: ['files'],
  encryption: ['files', 'destinations'],
  format: ['files', 'destinations'],
  chunks: ['files', 'destinations', 'format'],
  capture: ['files', 'format'],
  ownership: ['files', 'destinations', 'format'],
  save: ['files', 'destinations', 'format', 'chunks', 'capture'],
  restore: ['files', 'destinations', 'format', 'chunks'],
  drive: ['files', 'destinations', 'format', 'chunks', 'capture', 'save', 'restore'],
  verify: ['files', 'destinations', 'format', 'chunks', 'ownership', 'drive'],
  retention: ['destinations', 'format', 'ownership', 'drive'],
  repair: ['files', 'destinations', 'format', 'chunks', 'capture', 'save', 'drive', 'verify'],
  sweep: ['files', 'destinations', 'capture', 'ownership', 'drive', 'verify', 'retention'],
  archive: ['files', 'destinations', 'format', 'drive', 'sweep'],
  stages: ['files', 'format', 'chunks', 'restore', 'drive'],
};

// Heavy packages each have one home, so that no other folder drags them in.
const npmHomes = {
  '@tensorflow/': 'training',
  '(better-sqlite3|pg|mysql2|kysely)/': 'storage',
  '(@googleapis|google-auth-library|@aws-sdk|@octokit)/': 'backup',
  'onnxruntime-node/': 'pipeline',
  'protobufjs/': '(pipeline|tracking)',
  '(hono|@hono)/': 'dashboard',
  'yargs/': 'cli',
  'echarts/': 'report',
  'preact/': 'dashboard',
};

export default {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'src-not-to-test', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|bench|scripts)/' } },
    ...Object.entries(mayImport).map(([folder, allowed]) => ({
      name: `${folder}-imports`,
      severity: 'error',
      comment: `src/${folder} may import only: ${allowed.join(', ') || 'itself'}`,
      from: { path: `^src/${folder}/` },
      to: { path: '^src/', pathNot: `^src/(${[folder, ...allowed].join('|')})/` },
    })),
    ...Object.entries(backupMayImport).map(([folder, allowed]) => ({
      name: `backup-${folder}-imports`,
      severity: 'error',
      comment: `src/backup/${folder} may import only: ${allowed.join(', ') || 'itself'}, and src/core`,
      from: { path: `^src/backup/${folder}/` },
      to: {
        path: '^src/backup/',
        pathNot: `^src/backup/((${[folder, ...allowed].join('|')})/|backup-(event|options)[.]ts$)`,
      },
    })),
    {
      name: 'backup-words-import-nothing',
      severity: 'error',
      from: { path: '^src/backup/backup-(event|options)[.]ts$' },
      to: { path: '^src/backup/' },
    },
    {
      name: 'destination-kinds-stand-alone',
      severity: 'error',
      comment: 'A kind of destination knows no other kind',
      from: { path: '^src/backup/destinations/([^/]+)/' },
      to: { path: '^src/backup/destinations/[^/]+/', pathNot: '^src/backup/destinations/($1|transfer)/' },
    },
    {
      name: 'index-imports',
      severity: 'error',
      comment: 'src/index.ts is the library: it may import anything but the command line',
      from: { path: '^src/[^/]+[.]ts$' },
      to: { path: '^src/cli/' },
    },
    ...Object.entries(npmHomes).map(([pkg, folder]) => ({
      name: `npm-only-in-${folder}`,
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/${folder}/` },
      to: { path: `node_modules/(@types/)?${pkg}` },
    })),
    {
      name: 'web-imports-api-types-and-charts',
      severity: 'error',
      comment: 'The page knows the server by api-types.ts, and draws with the code that reports are drawn with',
      from: { path: '^src/dashboard/web/' },
      to: {
        path: '^src/',
        pathNot: '^src/(dashboard/(web/|api-types[.]ts$)|report/(charts/|client/register-charts[.]ts$))',
      },
    },
    {
      name: 'charts-run-anywhere',
      severity: 'error',
      comment: 'Charts run in browsers too: of other folders they take types only',
      from: { path: '^src/report/(charts|client)/' },
      to: { path: '^src/', pathNot: '^src/report/(charts|client)/', dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true, // type-only imports count too
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
    doNotFollow: { path: 'node_modules' },
  },
};
