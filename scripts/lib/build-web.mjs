import { at } from './paths.mjs';

/**
 * Bundles what runs in browsers: the report's script into `dist/report/client`.
 * Throws where that fails.
 */
export async function buildWeb() {
  const { build } = await import('vite');
  const common = { configFile: false, logLevel: 'warn', clearScreen: false };
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
  await build(script);
}
