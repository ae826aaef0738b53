import type { CommandOutline, PositionalOutline } from '../command-outline.js';

/** Suffixes of the files that stand for a study or a configuration. */
const SUFFIXES: Readonly<Record<PositionalOutline['files'], string>> = {
  configuration: 'yaml yml',
  study: 'yaml yml db',
  any: '*',
  none: '',
};

/** The completion script for bash 3.2 or newer. */
export function bashCompletion(commands: readonly CommandOutline[]): string {
  const cases = commands.map((command) => {
    const options = command.options.flatMap(({ name, alias }) => [
      `--${name}`,
      ...(alias === undefined ? [] : [`-${alias}`]),
    ]);
    const values = command.options
      .filter(({ takesValue }) => takesValue)
      .map(({ name, alias, choices }) => {
        const words = `--${name}${alias === undefined ? '' : `|-${alias}`}`;
        return `        ${words}) values="${choices.join(' ')}"; suffixes=${choices.length > 0 ? "''" : "'*'"} ;;`;
      });
    const places = command.positionals.map(
      ({ choices, files }, index) =>
        `        ${index}${index === command.positionals.length - 1 ? '|*' : ''}) values="${choices.join(' ')}"; suffixes='${SUFFIXES[files]}' ;;`,
    );
    return `    ${command.name})
      options="${options.join(' ')} --help"
      case "$previous" in
${values.join('\n')}
        *) isValue=no ;;
      esac
      [ "$isValue" = yes ] || case "$place" in
${places.join('\n') || '        *) ;;'}
      esac
      ;;`;
  });
  return `# resweep completion bash
_resweep() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command='' place=0 index
  local options='' values='' suffixes='' isValue=yes suffix word
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    case "$word" in
      -*) ;;
      *) if [ -z "$command" ]; then command=$word; else place=$((place + 1)); fi ;;
    esac
  done
  if [ -z "$command" ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')} --help --version" -- "$current"))
    return
  fi
  case "$command" in
${cases.join('\n')}
    *) return ;;
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$current")); return ;;
  esac
  COMPREPLY=($(compgen -W "$values" -- "$current"))
  [ -n "$suffixes" ] || return
  local IFS=$'\\n'
  if [ "$suffixes" = '*' ]; then
    COMPREPLY+=($(compgen -f -- "$current"))
  else
    IFS=' '
    for suffix in $suffixes; do
      IFS=$'\\n'
      COMPREPLY+=($(compgen -f -X "!*.$suffix" -- "$current"))
    done
    COMPREPLY+=($(compgen -d -- "$current"))
  fi
  type compopt >/dev/null 2>&1 && compopt -o filenames 2>/dev/null
}
complete -F _resweep resweep
`;
}
