import { parseArgs } from 'node:util';
import { Failure } from '../core/errors.ts';
import { closestName } from '../core/text/closest-name.ts';
import type { Definition, OptionDefinition, OptionDefinitions } from './reference/definition.ts';
import { usageOf } from './reference/definition.ts';

/** Words of a command line, split into options and positional arguments. */
export type Scan = {
  /** Options in the form `--name` or `--name=value`. The value can begin with a dash. */
  readonly options: readonly string[];
  readonly positionals: readonly string[];
  /** Error message about the first invalid word. Undefined if all words are valid. */
  readonly fault: string | undefined;
};

const HELP_WORD = '--help';

/** Parses a command line. Throws Failure `usage` for an option or argument that the command does not have. */
export function argumentsOf<const Options extends OptionDefinitions>(
  definition: Definition & { readonly options: Options },
  words: readonly string[],
) {
  const { options, positionals, fault } = scanArguments(definition, words);
  const complaint = fault ?? choiceFault(definition, options) ?? countFault(definition, positionals);
  if (complaint !== undefined) throw usageFailure(complaint, definition);
  return parseArgs({
    args: [...options, '--', ...positionals],
    options: definition.options,
    allowPositionals: true,
    strict: true,
  });
}

/** Splits words into options and positional arguments. Does not check the number of arguments. */
export function scanArguments(definition: Definition, words: readonly string[]): Scan {
  const options: string[] = [];
  const positionals: string[] = [];
  const faults: string[] = [];
  const end = words.indexOf('--');
  const before = [...(end < 0 ? words : words.slice(0, end))];
  const take = (
    shown: string,
    name: string,
    option: OptionDefinition,
    attached: string | undefined,
  ): void => {
    if (option.type === 'boolean') {
      if (attached !== undefined) faults.push(`The option ${shown} has no value.`);
      return void options.push(`--${name}`);
    }
    const value = attached ?? before.shift();
    if (value === undefined || (attached === undefined && isOption(definition, value))) {
      faults.push(`The option ${shown} needs a value, ${option.value}.`);
    }
    options.push(`--${name}=${value ?? ''}`);
  };
  for (let word = before.shift(); word !== undefined; word = before.shift()) {
    if (!word.startsWith('-') || word === '-') positionals.push(word);
    else if (word.startsWith('--')) {
      const [, name = '', attached] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
      const option = optionOf(definition, name);
      if (option === undefined) faults.push(unknownOption(definition, `--${name}`));
      else take(`--${name}`, name, option, attached);
    } else {
      for (let letters = word.slice(1); letters !== ''; ) {
        const [name, option] = byLetter(definition, letters[0] ?? '') ?? [];
        if (name === undefined || option === undefined) {
          faults.push(unknownOption(definition, letters === word.slice(1) ? word : `-${letters[0]}`));
          break;
        }
        const rest = letters.slice(1);
        const attached = option.type === 'string' && rest !== '' ? rest : undefined;
        take(`-${letters[0]}`, name, option, attached);
        letters = option.type === 'string' ? '' : rest;
      }
    }
  }
  if (end >= 0) positionals.push(...words.slice(end + 1));
  return { options, positionals, fault: faults[0] };
}

/**
 * True if a command line has the option `--help` or `-h`. Values of options and words after `--` do not
 * count.
 */
export function asksForHelp(definition: Definition, words: readonly string[]): boolean {
  const options: OptionDefinitions = { ...definition.options, help: { type: 'boolean', about: '' } };
  const short = byLetter(definition, 'h') === undefined;
  const plain = short ? words.map(word => (word === '-h' ? HELP_WORD : word)) : words;
  return scanArguments({ ...definition, options }, plain).options.includes(HELP_WORD);
}

/** Returns the last value of an option. Undefined if the option does not occur. */
export function scannedValue(scan: Scan, name: string): string | undefined {
  const prefix = `--${name}=`;
  return scan.options.findLast(option => option.startsWith(prefix))?.slice(prefix.length);
}

export function usageFailure(complaint: string, definition: Definition): Failure {
  const sentence = /[.?]$/.test(complaint) ? complaint : `${complaint}.`;
  return new Failure('usage', `${sentence} Usage: ${usageOf(definition)}`);
}

function optionOf({ options }: Definition, name: string): OptionDefinition | undefined {
  return Object.hasOwn(options, name) ? options[name] : undefined;
}

function byLetter({ options }: Definition, letter: string): [string, OptionDefinition] | undefined {
  return Object.entries(options).find(([, { short }]) => short === letter);
}

function isOption(definition: Definition, word: string): boolean {
  if (word.startsWith('--')) return optionOf(definition, word.slice(2).split('=')[0] ?? '') !== undefined;
  return word.length === 2 && word.startsWith('-') && byLetter(definition, word[1] ?? '') !== undefined;
}

function unknownOption(definition: Definition, word: string): string {
  const names = [...Object.keys(definition.options), 'help'];
  const bare = word.replace(/^-+/, '');
  const meant = names.find(name => bare.length > 1 && name.startsWith(bare)) ?? closestName(bare, names);
  const hint = meant === undefined ? `See "skerry ${definition.name} --help".` : `Did you mean --${meant}?`;
  return `"skerry ${definition.name}" has no option ${word}. ${hint}`;
}

function choiceFault(definition: Definition, given: readonly string[]): string | undefined {
  for (const option of given) {
    const [, name = '', value = ''] = /^--([^=]*)=(.*)$/s.exec(option) ?? [];
    const { choices, short } = optionOf(definition, name) ?? {};
    if (choices === undefined || choices.includes(value)) continue;
    const last = choices.at(-1);
    const list = choices.length === 1 ? last : `${choices.slice(0, -1).join(', ')} or ${last}`;
    const shown = short === undefined ? `--${name}` : `-${short}`;
    return `${shown} must be ${list}, not "${value}".`;
  }
  return undefined;
}

function countFault({ name, arguments: wanted }: Definition, given: readonly string[]): string | undefined {
  const missing = wanted.find(({ optional }, index) => optional !== true && given[index] === undefined);
  if (missing !== undefined) return `<${missing.name}> is missing.`;
  const extra = wanted.some(({ multiple }) => multiple === true) ? undefined : given[wanted.length];
  if (extra === undefined) return undefined;
  // The error does not quote the unexpected words, because a word can be a password.
  if (wanted.length === 0) return `"skerry ${name}" takes no arguments.`;
  return `"${extra}" is one argument too many.`;
}
