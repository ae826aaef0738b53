/**
 * The pictures of the dashboard in docs/images, of the study that a place holds (a project folder with one study that has backups).
 *
 *   node scripts/dashboard-pictures.mjs PROJECT [FOLDER]      needs a build, and Chromium (RESWEEP_CHROMIUM)
 */
/* global fetch */
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { startDashboard } from '../build/dashboard/server.js';
import { at } from './lib/paths.mjs';
import { pathOf } from './lib/run-command.mjs';

const [project, folder = at('docs', 'images')] = process.argv.slice(2);
if (project === undefined) {
  console.error('Usage: node scripts/dashboard-pictures.mjs PROJECT [FOLDER]');
  process.exit(2);
}

/** Name of a picture, the view, its size, and what the browser is like. */
const pictures = [
  ['overview', 'overview', 1280, 1180, {}],
  ['trials-dark', 'trials', 1280, 1000, { colorScheme: 'dark' }],
  ['parameters', 'parameters', 1280, 1180, {}],
  ['backup', 'backup', 1280, 940, {}],
  ['phone', 'overview', 390, 844, { hasTouch: true }],
];

const dashboard = await startDashboard({ places: [project], port: 0 });
const browser = await chromium.launch({
  executablePath: process.env.RESWEEP_CHROMIUM ?? pathOf('chromium'),
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
try {
  const [study] = await (await fetch(`${dashboard.url}api/studies`)).json();
  for (const [name, view, width, height, options] of pictures) {
    const context = await browser.newContext({ viewport: { width, height }, ...options });
    const page = await context.newPage();
    await page.goto(`${dashboard.url}#/study/${study.id}/${view}`);
    await page.waitForSelector('main h1');
    while ((await page.locator('.placeholder, [aria-busy=true]').count()) > 0) await page.waitForTimeout(100);
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(folder, `dashboard-${name}.png`) });
    console.log(join(folder, `dashboard-${name}.png`));
    await context.close();
  }
} finally {
  await browser.close();
  await dashboard.close();
}
