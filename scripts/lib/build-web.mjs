import { at } from './paths.mjs';

/**
 * Bundles what runs in browsers: the dashboard's page into `dist/dashboard/web`, and the report's script into `dist/report/client`.
 * Throws where that fails.
 */
export async function buildWeb() {
  const { build } = await import('vite');
  const common = { configFile: false, logLevel: 'warn', clearScreen: false };
  const page = {
    ...common,
    root: at('src', 'dashboard', 'web'),
    base: './',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: at('dist', 'dashboard', 'web'),
      emptyOutDir: true,
      target: 'es2022',
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 1_500,
      // A style or picture inlined as data: would need a laxer policy.
      assetsInlineLimit: 0,
      rollupOptions: {
        output: { entryFileNames: 'page.js', chunkFileNames: '[name].js', assetFileNames: '[name][extname]' },
      },
    },
  };
  const script = {
    ...common,
    root: at('src', 'report', 'client'),
    // A library is left to its user's bundler here; this one has none.
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      outDir: at('dist', 'report', 'client'),
      emptyOutDir: true,
      target: 'es2022',
      chunkSizeWarningLimit: 1_500,
      lib: { entry: 'report-client.ts', formats: ['iife'], name: 'resweepReport', fileName: () => 'report-client.js' },
    },
  };
  for (const one of [page, script]) await build(one);
}
