import { type Definition, JSON_OUTPUT } from './definition.ts';

export const HELP = {
  name: 'help',
  group: 'program',
  summary: 'Prints all commands, or how one is used.',
  role: 'local',
  arguments: [{ name: 'command', optional: true, multiple: true, about: 'Command, by its words.' }],
  options: {},
  examples: [{ line: 'skerry help queue peek', about: 'The same as `skerry queue peek --help`.' }],
} as const satisfies Definition;

export const VERSION_COMMAND = {
  name: 'version',
  group: 'program',
  summary: 'Prints the version of this program.',
  role: 'local',
  arguments: [],
  options: { json: JSON_OUTPUT },
  examples: [{ line: 'skerry version --json', about: 'Print version, architecture and runtime.' }],
} as const satisfies Definition;

export const COMPLETION = {
  name: 'completion',
  group: 'program',
  summary: 'Prints the completion script of a shell.',
  role: 'local',
  arguments: [{ name: 'shell', choices: ['bash', 'zsh', 'fish'], about: 'bash, zsh or fish.' }],
  options: {},
  examples: [
    {
      line: 'skerry completion bash > /etc/bash_completion.d/skerry',
      about: 'Install it for bash, as root; new shells complete.',
    },
    { line: 'skerry completion zsh > /usr/local/share/zsh/site-functions/_skerry', about: 'For zsh.' },
    { line: 'skerry completion fish > ~/.config/fish/completions/skerry.fish', about: 'For fish.' },
  ],
  synonyms: ['completions'],
} as const satisfies Definition;

export const MAN = {
  name: 'man',
  group: 'program',
  summary: 'Prints the man page.',
  role: 'local',
  arguments: [],
  options: {},
  examples: [
    { line: 'skerry man | man -l -', about: 'Read it.' },
    { line: 'skerry man > /usr/local/share/man/man1/skerry.1', about: 'Install it, as root.' },
  ],
} as const satisfies Definition;
