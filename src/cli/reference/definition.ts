/**
 * Definition of a command. The help, the man page, the completions, docs/reference/cli.md and the parser are
 * made from the definitions.
 */
export type Definition = {
  /** Words of the command, such as `queue peek`. */
  readonly name: string;
  readonly group: Group;
  /** Summary of the command: a sentence in the third person, with its period. */
  readonly summary: string;
  /** Further paragraphs of the description. */
  readonly details?: readonly string[];
  /**
   * Minimum role that is permitted to run the command. `local`: the command uses files only and sends no
   * request to a hub.
   */
  readonly role: Role;
  /** Requests that the command sends to the control socket. */
  readonly requests?: readonly string[];
  readonly arguments: readonly ArgumentDefinition[];
  readonly options: OptionDefinitions;
  /**
   * Environment variables of the command by name, each with a description. SKERRY_DATA is missing, because it
   * belongs to the option --data.
   */
  readonly environment?: Readonly<Record<string, string>>;
  /** Descriptions of the exit codes whose meaning differs from the default. */
  readonly exitCodes?: Readonly<Record<number, string>>;
  readonly examples: readonly Example[];
  /**
   * Synonyms of the command. After an unknown command that resembles a synonym, the error suggests this
   * command.
   */
  readonly synonyms?: readonly string[];
};

export type Role = 'local' | 'view' | 'operate' | 'admin';

export type Group = 'hub' | 'deployments' | 'modules' | 'messages' | 'clients' | 'security' | 'program';

export type ArgumentDefinition = {
  readonly name: string;
  readonly about: string;
  readonly optional?: true;
  readonly multiple?: true;
  readonly choices?: readonly string[];
  readonly completes?: Completion;
};

export type OptionDefinition = {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  readonly default?: string;
  readonly multiple?: true;
  /** Placeholder of the value, such as `DIR`. Undefined for options of type `boolean`. */
  readonly value?: string;
  readonly choices?: readonly string[];
  readonly completes?: Completion;
  /** True if the option is required. Required options are shown in the usage line. */
  readonly required?: true;
  readonly about: string;
};

export type OptionDefinitions = Readonly<Record<string, OptionDefinition>>;

/** Kinds of words that a shell can complete. */
export type Completion = 'file' | 'folder';

export type Example = { readonly line: string; readonly about: string };

/** Options that many commands have. */
export const DATA = {
  type: 'string',
  value: 'DIR',
  completes: 'folder',
  about:
    'Data folder of the hub. Default: $SKERRY_DATA, else /var/lib/skerry if it is writable, else ./.skerry.',
} as const satisfies OptionDefinition;

export const JSON_OUTPUT = {
  type: 'boolean',
  about: 'Print JSON, with all fields: a unit stands last in a name, as in "uptimeMs".',
} as const satisfies OptionDefinition;

export const KEY_ENV = {
  type: 'string',
  value: 'VARIABLE',
  about: 'Like --key, with the text of the key in this environment variable, as CI systems give secrets.',
} as const satisfies OptionDefinition;

export const DATA_VARIABLE = 'Data folder of the hub, if --data is not given.';

/** Returns the usage line, such as `skerry queue peek <queue> [options]`. */
export function usageOf({ name, arguments: words, options }: Definition): string {
  const shown = words.map(({ name: word, optional, multiple }) => {
    const one = `<${word}>${multiple === true ? '...' : ''}`;
    return optional === true ? `[${one}]` : one;
  });
  const required = Object.entries(options)
    .filter(([, option]) => option.required === true)
    .map(([long, { short, value }]) => `${short === undefined ? `--${long}` : `-${short}`} ${value}`);
  const more = Object.keys(options).length > required.length ? ['[options]'] : [];
  return ['skerry', name, ...shown, ...required, ...more].join(' ');
}
