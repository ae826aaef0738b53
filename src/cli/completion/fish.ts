import type { CommandOutline, PositionalOutline } from '../command-outline.js';

const FILES: Readonly<Record<PositionalOutline['files'], string>> = {
  configuration: '__fish_complete_suffix .yaml; __fish_complete_suffix .yml',
  study: '__fish_complete_suffix .yaml; __fish_complete_suffix .yml; __fish_complete_suffix .db',
  any: '__fish_complete_path (commandline -ct)',
  none: '',
};

/** The completion script for fish. */
export function fishCompletion(commands: readonly CommandOutline[]): string {
  const lines = ['complete -c resweep -f'];
  for (const { name, describe, options, positionals } of commands) {
    lines.push(`complete -c resweep -n __fish_use_subcommand -a ${name} -d ${quote(describe)}`);
    const here = `-n ${quote(`__fish_seen_subcommand_from ${name}`)}`;
    for (const option of options) {
      const short = option.alias === undefined ? '' : ` -s ${option.alias}`;
      const values = option.choices.length > 0 ? ` -x -a ${quote(option.choices.join(' '))}` : ' -r -F';
      lines.push(
        `complete -c resweep ${here} -l ${option.name}${short}${option.takesValue ? values : ''} -d ${quote(option.describe)}`,
      );
    }
    // Fish counts no places: whatever may stand somewhere is offered.
    for (const { choices, files } of positionals) {
      if (choices.length > 0) lines.push(`complete -c resweep ${here} -a ${quote(choices.join(' '))}`);
      else if (files !== 'none') lines.push(`complete -c resweep ${here} -a ${quote(`(${FILES[files]})`)}`);
    }
  }
  return `# resweep completion fish\n${lines.join('\n')}\n`;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
