import { VERSION } from '../../../core/version.ts';
import type { Definition } from '../definition.ts';
import { usageOf } from '../definition.ts';
import { COMMANDS, EXIT_CODES, GROUPS } from '../table.ts';
import { aboutOf, environmentRows, exitRows, optionsOf, termOf } from './help.ts';

/** Returns the man page skerry(1), written with the macros of man(7). */
export function manPage(): string {
  const groups = Object.entries(GROUPS).flatMap(([group, title]) => [
    `.SH ${quoted(title.toUpperCase())}`,
    ...COMMANDS.filter(one => one.group === group).flatMap(sectionOf),
  ]);
  const lines = [
    `.TH SKERRY 1 "" ${quoted(`skerry ${VERSION}`)} "User Commands"`,
    '.SH NAME',
    'skerry \\- edge hub for small machines',
    '.SH SYNOPSIS',
    '.B skerry',
    '.I command',
    '[\\fIarguments\\fR] [\\fIoptions\\fR]',
    '.SH DESCRIPTION',
    text(
      'Supervises modules as native processes, is their MQTT broker, routes their messages, keeps on disk',
    ),
    text('what cannot be delivered yet, and hands it to an upstream server.'),
    ...groups,
    '.SH "EXIT STATUS"',
    ...rows(Object.entries(EXIT_CODES)),
    '.SH ENVIRONMENT',
    ...rows([
      ['SKERRY_DATA', 'Data folder of the hub, if --data is not given.'],
      ['NO_COLOR', 'If set and not empty, output to a terminal is not coloured.'],
    ]),
    '.SH FILES',
    ...rows([['/var/lib/skerry', 'Default data folder of a service; ./.skerry if it is not writable.']]),
  ];
  return `${lines.join('\n')}\n`;
}

function sectionOf(definition: Definition): string[] {
  const { name, summary, details = [], arguments: words, exitCodes, examples } = definition;
  const options = optionsOf(definition).map(([option, one]): [string, string] => [
    termOf(option, one).trim(),
    aboutOf(one),
  ]);
  return [
    `.SS ${quoted(usageOf(definition))}`,
    text(summary),
    ...details.flatMap(detail => ['.PP', text(detail)]),
    ...rows([...words.map(({ name: word, about }): [string, string] => [`<${word}>`, about]), ...options]),
    ...(exitCodes === undefined ? [] : ['.PP', 'Exit codes:', ...rows(exitRows(definition))]),
    ...environmentRows(definition)
      .filter(([variable]) => variable !== 'SKERRY_DATA')
      .flatMap(row => rows([row])),
    ...examples.flatMap(({ line, about }) => [
      '.PP',
      text(about),
      '.PP',
      '.RS',
      '.nf',
      text(line),
      '.fi',
      '.RE',
    ]),
    `.\\" ${name}`,
  ];
}

function rows(all: readonly (readonly [string, string])[]): string[] {
  return all.flatMap(([term, about]) => ['.TP', `\\fB${escaped(term)}\\fR`, text(about)]);
}

/** Escapes a line of text, so that roff interprets no part of the line as a request or an escape. */
function text(line: string): string {
  const safe = escaped(line);
  return /^[.']/.test(safe) ? `\\&${safe}` : safe;
}

function escaped(line: string): string {
  return line
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga');
}

function quoted(line: string): string {
  return `"${escaped(line).replaceAll('"', '""')}"`;
}
