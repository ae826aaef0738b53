import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { expect } from 'vitest';

import { startDashboard, type RunningDashboard } from '../../../src/dashboard/server.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Where pictures are kept for somebody to look at; none are kept without it. */
const PICTURES = process.env['RESWEEP_PICTURES'];

/** A dashboard of some places, and Chromium to look at it. */
export class DashboardBrowser {
  /** What pages wrote to the console as an error or warning, or threw. */
  readonly problems: string[] = [];

  private constructor(
    readonly browser: Browser,
    readonly dashboard: RunningDashboard,
  ) {}

  static async start(...places: readonly string[]): Promise<DashboardBrowser> {
    const dashboard = await startDashboard({ places, port: 0 });
    const browser = await chromium.launch({
      executablePath: process.env['RESWEEP_CHROMIUM'] ?? 'chromium',
      // A container has no user namespaces for it.
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    });
    return new DashboardBrowser(browser, dashboard);
  }

  get url(): string {
    return this.dashboard.url;
  }

  async open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
    const page = await context.newPage();
    this.watch(page, path);
    await page.goto(this.url + path);
    return page;
  }

  watch(page: Page, name: string): void {
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.problems.push(`${name}: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.problems.push(`${name}: ${error.message}`));
  }

  async idOf(name: string): Promise<string> {
    const list = (await (await fetch(`${this.url}api/studies`)).json()) as { id: string; name: string }[];
    return list.find((study) => study.name === name)?.id ?? '';
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.dashboard.close();
  }
}

/** Waits until an expression holds; asked through the browser's tools, for the page's policy lets nothing be evaluated in it. */
export async function until(page: Page, expression: string): Promise<void> {
  await expect.poll(() => page.evaluate(expression), { timeout: 60_000, interval: 25 }).toBe(true);
}

export async function settled(page: Page): Promise<void> {
  await page.waitForSelector('main h1');
  await until(page, "document.querySelectorAll('.placeholder, [aria-busy=true]').length === 0");
}

export async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  // What was never near the screen was never drawn.
  for (let y = 0; y < Number(await page.evaluate('document.body.scrollHeight')); y += 500) {
    await page.evaluate(`scrollTo(0, ${y})`);
    await page.waitForTimeout(50);
    await settled(page);
  }
  await page.evaluate('scrollTo(0, 0)');
  await page.waitForTimeout(400);
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
}

/** Violations of accessibility rules, each with where. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  // The page's policy lets no script in but its own; this one comes in through the browser's tools.
  await page.evaluate(AXE);
  return await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }).then(({ violations }) =>
      violations.map(({ id, nodes }) => id + ': ' + nodes.map((node) => node.html).join(' | ')))`,
  );
}
