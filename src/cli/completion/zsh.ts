import type { CommandOutline, PositionalOutline } from '../command-outline.js';

const FILES: Readonly<Record<PositionalOutline['files'], string>> = {
  configuration: `_files -g "*.(yaml|yml)"`,
  study: `_files -g "*.(yaml|yml|db)"`,
  any: '_files',
  none: ' ',
};

/** The completion script for zsh: a file named _resweep in a folder of $fpath. */
export function zshCompletion(commands: readonly CommandOutline[]): string {
  const cases = commands.map(({ name, options, positionals }) => {
    const specs = options.flatMap((option) => {
      const value = !option.takesValue
        ? ''
        : `:${option.name}:${option.choices.length > 0 ? `(${option.choices.join(' ')})` : '_files'}`;
      const names = [`--${option.name}`, ...(option.alias === undefined ? [] : [`-${option.alias}`])];
      return names.map((word) => quote(`${word}[${bracketed(option.describe)}]${value}`));
    });
    const places = positionals.map(({ name: place, choices, files }, index) => {
      const position = index === positionals.length - 1 && place === 'checks' ? '*' : String(index + 1);
      return quote(`${position}:${place}:${choices.length > 0 ? `(${choices.join(' ')})` : FILES[files]}`);
    });
    return `    ${name})
      _arguments ${[...specs, ...places, quote('--help[Show help]')].join(' \\\n        ')}
      ;;`;
  });
  return `#compdef resweep
_resweep() {
  local -a commands
  commands=(
${commands.map(({ name, describe }) => `    ${quote(`${name}:${describe.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = "_resweep" ]; then _resweep "$@"; else compdef _resweep resweep; fi
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function bracketed(text: string): string {
  return text.replaceAll(/[\\[\]:]/g, '\\$&');
}
