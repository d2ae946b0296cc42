import type { Definition } from '../definition.ts';
import { usageOf } from '../definition.ts';
import { COMMANDS, GROUPS } from '../table.ts';
import { aboutOf, environmentRows, exitRows, optionsOf, termOf } from './help.ts';

const INTRODUCTION = `# Commands

\`skerry help <command>\` prints the same, \`skerry man\` all of it as a man page, and \`skerry completion bash\` (or \`zsh\`,
\`fish\`) the completions of a shell. This page is made from the table in \`src/cli/reference\` by \`npm run reference\`.

Exit codes are 0 (done), 1 (failed) and 2 (wrong usage, or a file that was refused), if nothing else is said. Errors are one
sentence on standard error. Output to a terminal is coloured, unless \`NO_COLOR\` is set. The role is the least that a person
must be allowed to do: \`view\`, \`operate\` or \`admin\`; \`local\` commands ask no hub.
`;

/** Returns the text of docs/reference/cli.md. */
export function markdown(): string {
  const groups = Object.entries(GROUPS).flatMap(([group, title]) => [
    `## ${title}\n`,
    ...COMMANDS.filter(one => one.group === group).map(sectionOf),
  ]);
  return [INTRODUCTION, ...groups].join('\n');
}

function sectionOf(definition: Definition): string {
  const { name, summary, details = [], role, arguments: words, exitCodes, examples } = definition;
  const options = optionsOf(definition).map(([option, one]): [string, string] => [
    `\`${termOf(option, one).trim()}\``,
    aboutOf(one),
  ]);
  const rows = [
    ...words.map(({ name: word, about }): [string, string] => [`\`<${word}>\``, about]),
    ...options,
  ];
  const environment = environmentRows(definition).map(([variable, about]) => `\`${variable}\`: ${about}`);
  const codes =
    exitCodes === undefined ? [] : exitRows(definition).map(([code, text]) => `\`${code}\`: ${text}`);
  return [
    `### skerry ${name}\n`,
    `    ${usageOf(definition)}\n`,
    `${[summary, ...details].join(' ')} Role: ${role}.\n`,
    `| | |\n|---|---|\n${rows.map(([term, about]) => `| ${cell(term)} | ${cell(about)} |\n`).join('')}`,
    ...(environment.length === 0 ? [] : [`Environment: ${environment.join(' ')}\n`]),
    ...(codes.length === 0 ? [] : [`Exit codes: ${codes.join(' ')}\n`]),
    examples.map(({ line, about }) => `    # ${about}\n    ${line}\n`).join(''),
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
