import { readFileSync, statSync } from 'node:fs';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import { writeDurably } from './durable.ts';
import { MAX_HUB_STATE_BYTES } from './limits.ts';
import type { BinaryName, Places, SlotName } from './paths.ts';
import { isSlot } from './paths.ts';

/** The base binary as it was when it was left. */
export type Identity = {
  readonly path: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly changed: number;
  readonly inode: number;
  readonly sha256: string;
};

/** What lies in a slot. `version`: as the binary calls itself. */
export type SlotContent = { readonly sha256: string; readonly size: number; readonly version: string };

/** How long a trial may take: starts, seconds in all, and seconds from asking to end to SIGKILL. */
export type TrialLimits = { readonly starts: number; readonly seconds: number; readonly grace: number };

export type Trial = {
  readonly slot: SlotName;
  readonly limits: TrialLimits;
  /** Starts so far, counted before each. */
  readonly tries: number;
  /** Seconds that the tries which ended took. */
  readonly seconds: number;
  /** How the last one ended, in words; '' if that is not known. */
  readonly lastEnd: string;
};

/** The process that watches over a hub that was started on trial. */
export type Guard = { readonly pid: number; readonly started: number; readonly boot: string };

/** Why the binary with this SHA-256 is not in use. */
export type Return = { readonly sha256: string; readonly version: string; readonly reason: string };

/** Which binary of the hub is in use. A later version of Skerry may add fields, and never changes the meaning of one. */
export type State = {
  readonly base: Identity;
  readonly current: BinaryName;
  readonly slots: Readonly<Partial<Record<SlotName, SlotContent>>>;
  readonly trial?: Trial | undefined;
  readonly guard?: Guard | undefined;
  readonly returned?: Return | undefined;
};

const NOTHING = ['ENOENT', 'ENOTDIR'];

/** `damaged`: why it cannot be read. */
export type StateRead = { readonly state?: State; readonly damaged?: string };

/** What is noted in the data folder; an empty object: nothing. Throws the Failure `update.state`: the system cannot read it. */
export function readState({ state: file }: Places): StateRead {
  let text: string;
  try {
    if (statSync(file).size > MAX_HUB_STATE_BYTES) return { damaged: 'it is too long' };
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    if (NOTHING.includes(systemCode(thrown) ?? '')) return {};
    throw new Failure(
      'update.state',
      `${file} cannot be read (${reasonOf(thrown)}): correct the folder's rights.`,
    );
  }
  try {
    return { state: stateOf(fieldsOf(JSON.parse(text), 'it')) };
  } catch (thrown) {
    if (thrown instanceof Damage) return { damaged: thrown.message };
    if (thrown instanceof SyntaxError) return { damaged: 'it is no JSON' };
    throw thrown;
  }
}

export function writeState({ state: file }: Places, state: State): void {
  writeDurably(file, `${JSON.stringify(state, null, 2)}\n`);
}

class Damage extends Error {}

type Fields = Readonly<Record<string, unknown>>;

function stateOf(fields: Fields): State {
  const named = fields['current'];
  const current: BinaryName = named === 'base' ? named : slotOf(named, 'current');
  const slots = fieldsOf(fields['slots'], 'slots');
  const state: State = {
    base: identityOf(fieldsOf(fields['base'], 'base')),
    current,
    slots: { ...contentIn(slots, 'a'), ...contentIn(slots, 'b') },
    ...optional(fields, 'trial', trialOf),
    ...optional(fields, 'guard', guardOf),
    ...optional(fields, 'returned', returnOf),
  };
  for (const name of [state.current, state.trial?.slot]) {
    if (isSlot(name) && state.slots[name] === undefined)
      throw new Damage(`slot ${name} is named and not there`);
  }
  return state;
}

function identityOf(fields: Fields): Identity {
  return {
    path: textIn(fields, 'path'),
    size: numberIn(fields, 'size'),
    changed: numberIn(fields, 'changed'),
    inode: numberIn(fields, 'inode'),
    sha256: textIn(fields, 'sha256'),
  };
}

function contentIn(slots: Fields, slot: SlotName): { [name in SlotName]?: SlotContent } {
  if (slots[slot] === undefined) return {};
  const fields = fieldsOf(slots[slot], slot);
  const content = { size: numberIn(fields, 'size'), version: textIn(fields, 'version') };
  return { [slot]: { sha256: textIn(fields, 'sha256'), ...content } };
}

function trialOf(fields: Fields): Trial {
  const limits = fieldsOf(fields['limits'], 'limits');
  return {
    slot: slotOf(fields['slot'], 'slot'),
    limits: {
      starts: numberIn(limits, 'starts'),
      seconds: numberIn(limits, 'seconds'),
      grace: numberIn(limits, 'grace'),
    },
    tries: numberIn(fields, 'tries'),
    seconds: numberIn(fields, 'seconds'),
    lastEnd: textIn(fields, 'lastEnd'),
  };
}

function guardOf(fields: Fields): Guard {
  return {
    pid: numberIn(fields, 'pid'),
    started: numberIn(fields, 'started'),
    boot: textIn(fields, 'boot'),
  };
}

function returnOf(fields: Fields): Return {
  return {
    sha256: textIn(fields, 'sha256'),
    version: textIn(fields, 'version'),
    reason: textIn(fields, 'reason'),
  };
}

function optional<Name extends string, Value>(
  fields: Fields,
  name: Name,
  read: (fields: Fields) => Value,
): { [name in Name]?: Value } | undefined {
  if (fields[name] === undefined) return undefined;
  const found: { [name in Name]?: Value } = {};
  found[name] = read(fieldsOf(fields[name], name));
  return found;
}

function fieldsOf(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null) throw new Damage(`"${name}" is no object`);
  return Object.fromEntries(Object.entries(value));
}

function textIn(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new Damage(`"${name}" is no text`);
  return value;
}

function numberIn(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || value < 0) throw new Damage(`"${name}" is no number`);
  return value;
}

function slotOf(value: unknown, name: string): SlotName {
  if (!isSlot(value)) throw new Damage(`"${name}" is no slot`);
  return value;
}
