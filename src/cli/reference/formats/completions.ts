import type { Completion, Definition, OptionDefinition } from '../definition.ts';
import { COMMANDS, verbsOf } from '../table.ts';
import { optionsOf } from './help.ts';

/** Functions that return the completion script of each shell. The scripts start no process. */
export const SCRIPTS: Readonly<Record<string, () => string>> = { bash, zsh, fish };

/** Words that a shell suggests after the words in `command`. */
type Position = {
  /** Words of the command before the cursor. Empty before the first word. */
  readonly command: string;
  readonly words: readonly Word[];
  readonly values: readonly Value[];
  readonly files: Completion | undefined;
};

type Word = readonly [word: string, about: string];

/** Completion for the value of an option. `flags` are the spellings of the option. */
type Value = {
  readonly flags: readonly string[];
  readonly choices: readonly string[];
  readonly files: Completion | undefined;
};

function positions(): Position[] {
  const first = COMMANDS.filter(({ name }) => !name.includes(' '));
  const start = { command: '', words: first.map(wordOf), values: [], files: undefined };
  return [start, ...COMMANDS.map(positionOf)];
}

function wordOf({ name, summary }: Definition): Word {
  return [name.split(' ').at(-1) ?? '', summary];
}

function positionOf(definition: Definition): Position {
  const { name, arguments: words } = definition;
  const options = optionsOf(definition);
  const verbs = verbsOf(name).map((verb): Word => {
    const found = COMMANDS.find(one => one.name === `${name} ${verb}`);
    return [verb, found?.summary ?? ''];
  });
  const choices = words.flatMap(word => (word.choices ?? []).map((choice): Word => [choice, word.about]));
  return {
    command: name,
    words: [...verbs, ...choices, ...options.map(([option, { about }]): Word => [`--${option}`, about])],
    values: options.flatMap(([option, one]) => (one.type === 'string' ? [completedValue(option, one)] : [])),
    files: words.find(({ completes }) => completes !== undefined)?.completes,
  };
}

function completedValue(name: string, { short, choices = [], completes }: OptionDefinition): Value {
  return { flags: [...(short === undefined ? [] : [`-${short}`]), `--${name}`], choices, files: completes };
}

/**
 * Returns a shell loop for bash and zsh that sets `command` to the words of the command before the cursor.
 */
function commandLoop(first: number, current: string, words: string): string {
  const names = COMMANDS.map(({ name }) => `'${name}'`).join('|');
  return `  for ((index = ${first}; index < ${current}; index++)); do
    candidate="\${command:+$command }\${${words}[index]}"
    case "$candidate" in
      ${names}) command=$candidate ;;
      *) break ;;
    esac
  done`;
}

function bash(): string {
  const files = (kind: Completion | undefined): string =>
    kind === 'folder'
      ? 'compopt -o dirnames 2>/dev/null'
      : kind === 'file'
        ? 'compopt -o default 2>/dev/null'
        : ':';
  const all = positions();
  const values = all.flatMap(({ command, values: options }) =>
    options.map(
      ({ flags, choices, files: kind }) =>
        `    ${flags.map(flag => `'${command} ${flag}'`).join('|')}) words='${choices.join(' ')}'; ${files(kind)} ;;`,
    ),
  );
  const words = all.map(
    ({ command, words: list, files: kind }) =>
      `    '${command}') words='${list.map(([word]) => word).join(' ')}'; ${files(kind)} ;;`,
  );
  return `# bash completion of skerry, made by "skerry completion bash"
_skerry() {
  local command='' candidate index words current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
${commandLoop(1, 'COMP_CWORD', 'COMP_WORDS')}
  case "$command $previous" in
${values.join('\n')}
    *) case "$command" in
${words.join('\n')}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _skerry skerry
`;
}

function zsh(): string {
  const files = (kind: Completion | undefined): string =>
    kind === 'folder' ? '; _files -/' : kind === 'file' ? '; _files' : '';
  const list = (words: readonly Word[]): string =>
    words.map(([word, about]) => `'${word}:${about.replaceAll("'", "'\\''")}'`).join(' ');
  const all = positions();
  const values = all.flatMap(({ command, values: options }) =>
    options.map(
      ({ flags, choices, files: kind }) =>
        `    ${flags.map(flag => `'${command} ${flag}'`).join('|')}) compadd -- ${choices.join(' ')}${files(kind)} ;;`,
    ),
  );
  const words = all.map(
    ({ command, words: some, files: kind }) =>
      `    '${command}') entries=(${list(some)}); _describe skerry entries${files(kind)} ;;`,
  );
  return `#compdef skerry
# zsh completion of skerry, made by "skerry completion zsh"
_skerry() {
  local command='' candidate index previous=\${words[CURRENT-1]}
  local -a entries
${commandLoop(2, 'CURRENT', 'words')}
  case "$command $previous" in
${values.join('\n')}
    *) case "$command" in
${words.join('\n')}
    esac ;;
  esac
}
if [ "$funcstack[1]" = _skerry ]; then _skerry "$@"; else compdef _skerry skerry; fi
`;
}

function fish(): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const names = COMMANDS.map(({ name }) => quoted(name)).join(' ');
  const lines = positions().flatMap(({ command, words, files }) => {
    const at = `complete -c skerry -n ${quoted(`test (__skerry_command) = "${command}"`)}`;
    const plain = words.filter(([word]) => !word.startsWith('--'));
    return [
      ...plain.map(([word, about]) => `${at} -a ${quoted(word)} -d ${quoted(about)}`),
      ...(files === undefined ? [] : [`${at} -F`]),
    ];
  });
  const options = COMMANDS.flatMap(definition =>
    optionsOf(definition).map(([name, { short, type, choices = [], completes, about }]) => {
      const at = `complete -c skerry -n ${quoted(`test (__skerry_command) = "${definition.name}"`)}`;
      const letter = short === undefined ? '' : ` -s ${short}`;
      const value = type === 'boolean' ? '' : completes === undefined ? ' -x' : ' -rF';
      const list = choices.length === 0 ? '' : ` -a ${quoted(choices.join(' '))}`;
      return `${at}${letter} -l ${name}${value}${list} -d ${quoted(about)}`;
    }),
  );
  return `# fish completion of skerry, made by "skerry completion fish"
function __skerry_command
  set -l command ''
  for word in (commandline -opc)[2..-1]
    set -l candidate (string trim "$command $word")
    contains -- $candidate ${names}; or break
    set command $candidate
  end
  echo "$command"
end
complete -c skerry -f
${[...lines, ...options].join('\n')}
`;
}
