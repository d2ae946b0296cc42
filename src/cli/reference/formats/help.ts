import { styleText } from 'node:util';
import { VERSION } from '../../../core/version.ts';
import type { ArgumentDefinition, Definition, OptionDefinition } from '../definition.ts';
import { DATA_VARIABLE, usageOf } from '../definition.ts';
import { COMMANDS, EXIT_CODES, GROUPS, verbsOf } from '../table.ts';

/** Maximum columns of a help text on a terminal. */
const MAX_WIDTH = 100;

/** Columns of a help text if the output is not a terminal. */
const DEFAULT_WIDTH = 80;

/**
 * Maximum characters of a term in the left column. The description of a longer term begins on the next line.
 */
const MAX_TERM_LENGTH = 28;

type Row = readonly [term: string, text: string];

/** Returns the help text of one command. It is coloured on a terminal unless NO_COLOR is set. */
export function helpOf(definition: Definition): string {
  const { name, summary, details = [], arguments: words, examples } = definition;
  const verbs = COMMANDS.filter(one => one.name.startsWith(`${name} `));
  const sections = [
    `${heading('Usage:')} ${usageOf(definition)}\n`,
    paragraphs([summary, ...details]),
    section('Arguments', words.map(argumentRow)),
    section('Options', optionRows(definition)),
    section(
      'Commands',
      verbs.map((one): Row => [one.name, one.summary]),
    ),
    section('Environment', environmentRows(definition)),
    section('Exit codes', exitRows(definition)),
    section('Examples', []) + examples.map(({ line, about }) => `  ${line}\n      ${about}\n`).join(''),
  ];
  return sections.filter(text => text !== '').join('\n');
}

/** Returns the help text of the program: all commands by group. */
export function overview(): string {
  const plain = COMMANDS.filter(({ name }) => !name.includes(' '));
  const groups = Object.entries(GROUPS).map(([group, title]) =>
    section(
      title,
      plain.filter(one => one.group === group).map((one): Row => [withVerbs(one.name), one.summary]),
    ),
  );
  return [
    `${heading(`skerry ${VERSION}`)}: an edge hub for small machines.\n`,
    `${heading('Usage:')} skerry <command> [arguments] [options]\n`,
    ...groups,
    'See "skerry help <command>" for its options and examples, and "skerry man | man -l -" for all.\n',
  ].join('\n');
}

function withVerbs(name: string): string {
  const verbs = verbsOf(name);
  return verbs.length === 0 ? name : `${name} [${verbs.join('|')}]`;
}

/** Returns the options of a command. The last option is `--help`. */
export function optionsOf({ options }: Definition): [string, OptionDefinition][] {
  const taken = Object.values(options).some(({ short }) => short === 'h');
  const help: OptionDefinition = { type: 'boolean', about: 'Print this help.' };
  return [...Object.entries(options), ['help', taken ? help : { ...help, short: 'h' }]];
}

/** Returns the spelling of an option, such as `-n, --count N`. */
export function termOf(name: string, { short, value }: OptionDefinition): string {
  const letter = short === undefined ? '    ' : `-${short}, `;
  return `${letter}--${name}${value === undefined ? '' : ` ${value}`}`;
}

/** Returns the description of an option with its choices and its default. */
export function aboutOf({ about, choices, default: fallback, multiple }: OptionDefinition): string {
  const notes = [
    choices === undefined || about.includes(choices[0] ?? '') ? undefined : `One of ${choices.join(', ')}.`,
    fallback === undefined ? undefined : `Default: ${fallback}.`,
    multiple === true ? 'May be repeated.' : undefined,
  ];
  return [about, ...notes.filter(note => note !== undefined)].join(' ');
}

/** Returns the environment variables that a command reads. */
export function environmentRows({ options, environment = {} }: Definition): Row[] {
  const data: Row[] = Object.hasOwn(options, 'data') ? [['SKERRY_DATA', DATA_VARIABLE]] : [];
  return [...data, ...Object.entries(environment)];
}

export function exitRows({ exitCodes = {} }: Definition): Row[] {
  return Object.entries({ ...EXIT_CODES, ...exitCodes });
}

function argumentRow({ name, about }: ArgumentDefinition): Row {
  return [`<${name}>`, about];
}

function optionRows(definition: Definition): Row[] {
  return optionsOf(definition).map(([name, option]): Row => [termOf(name, option), aboutOf(option)]);
}

function section(title: string, rows: readonly Row[]): string {
  if (rows.length === 0 && title !== 'Examples') return '';
  const fitting = rows.map(([term]) => term.length).filter(length => length <= MAX_TERM_LENGTH);
  const left = Math.max(0, ...fitting) + 4;
  const lines = rows.map(([term, text]) => {
    const [first = '', ...more] = wrap(text, width() - left);
    const indented = more.map(line => `${' '.repeat(left)}${line}\n`).join('');
    const start =
      term.length <= MAX_TERM_LENGTH
        ? `  ${term.padEnd(left - 2)}${first}\n`
        : `  ${term}\n${' '.repeat(left)}${first}\n`;
    return start + indented;
  });
  return `${heading(`${title}:`)}\n${lines.join('')}`;
}

function paragraphs(texts: readonly string[]): string {
  return texts.map(text => `${wrap(text, width()).join('\n')}\n`).join('\n');
}

function wrap(text: string, columns: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= columns) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function width(): number {
  const { columns } = process.stdout;
  return columns === undefined || columns === 0 ? DEFAULT_WIDTH : Math.min(columns, MAX_WIDTH);
}

function heading(text: string): string {
  return styleText('bold', text, { stream: process.stdout });
}
