import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

/** A ```sh block of the documentation. */
export interface CommandBlock {
  /** From the root. */
  readonly file: string;
  readonly line: number;
  readonly text: string;
  /** What the comment before it says: to be run, where it is run instead, or why not; undefined where there is none. */
  readonly mark: 'run' | 'not run' | undefined;
  /** After the colon: configuration that must be there, or the reason. */
  readonly detail: string;
}

/** All ```sh blocks of README.md and docs/, with the comment that stands before each: `<!-- run -->` or `<!-- not run: reason -->`. */
export function documentedCommands(): CommandBlock[] {
  const pages = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.startsWith('api'))
    .map((name) => join('docs', name));
  return ['README.md', ...pages.sort()].flatMap((file) =>
    blocksOf(relative('.', file), readFileSync(join(ROOT, file), 'utf8')),
  );
}

function blocksOf(file: string, page: string): CommandBlock[] {
  const blocks: CommandBlock[] = [];
  const lines = page.split('\n');
  lines.forEach((opening, index) => {
    if (opening.trim() !== '```sh') return;
    const end = lines.indexOf('```', index);
    let before = index - 1;
    while (lines[before]?.trim() === '') before--;
    const [, mark, detail = ''] = /^<!-- (run|not run)(?:: (.+))? -->$/.exec(lines[before]?.trim() ?? '') ?? [];
    const text = lines.slice(index + 1, end).join('\n');
    blocks.push({ file, line: index + 1, text, mark: mark as CommandBlock['mark'], detail });
  });
  return blocks;
}
