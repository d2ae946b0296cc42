import { readFileSync, statSync } from 'node:fs';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import { writeDurably } from '../core/files/durable.ts';
import { MAX_HUB_STATE_BYTES } from './limits.ts';
import type { BinaryName, SlotName, UpdatePaths } from './paths.ts';
import { isSlot } from './paths.ts';

/** Identity of the installed binary when it was used last. */
export type BinaryIdentity = {
  readonly path: string;
  readonly size: number;
  /** Modification time in milliseconds since 1970. */
  readonly changed: number;
  readonly inode: number;
  readonly sha256: string;
};

/** Binary in a slot. `version` is the version that the binary printed. */
export type SlotContent = { readonly sha256: string; readonly size: number; readonly version: string };

/** Bounds of a trial: maximum starts, maximum total seconds, and seconds from SIGTERM to SIGKILL. */
export type TrialLimits = { readonly starts: number; readonly seconds: number; readonly grace: number };

export type Trial = {
  readonly slot: SlotName;
  readonly limits: TrialLimits;
  /** Number of starts so far. Each start is counted before the binary is started. */
  readonly tries: number;
  /** Total running time of the finished starts in seconds. */
  readonly seconds: number;
  /** Description of how the last start ended. Empty if this is unknown. */
  readonly lastEnd: string;
};

/** Identity of the process that watches a hub on trial. */
export type WatchdogProcess = { readonly pid: number; readonly started: number; readonly boot: string };

/** Binary that failed its trial, with the reason. */
export type FailedUpdate = { readonly sha256: string; readonly version: string; readonly reason: string };

/**
 * Persistent state of self-updates. Later versions of Skerry are allowed to add fields. They must not change
 * the meaning of a field, because older versions read the state file after a rollback.
 */
export type UpdateState = {
  readonly base: BinaryIdentity;
  readonly current: BinaryName;
  readonly slots: Readonly<Partial<Record<SlotName, SlotContent>>>;
  readonly trial?: Trial | undefined;
  /**
   * Watchdog of the trial start in progress. Named `guard`, because the state file of older versions contains
   * this name.
   */
  readonly guard?: WatchdogProcess | undefined;
  readonly returned?: FailedUpdate | undefined;
};

const NOT_FOUND = ['ENOENT', 'ENOTDIR'];

/**
 * Content of the state file. If the file cannot be parsed, `damaged` is the reason. Empty if there is no
 * state file.
 */
export type UpdateStateRead = { readonly state?: UpdateState; readonly damaged?: string };

/** Reads the state file. Throws Failure `update.state` if the system cannot read it. */
export function readUpdateState({ state: file }: UpdatePaths): UpdateStateRead {
  let text: string;
  try {
    if (statSync(file).size > MAX_HUB_STATE_BYTES) return { damaged: 'it is too long' };
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    if (NOT_FOUND.includes(systemCode(thrown) ?? '')) return {};
    throw new Failure(
      'update.state',
      `${file} cannot be read (${reasonOf(thrown)}): correct the folder's permissions.`,
    );
  }
  try {
    return { state: stateOf(fieldsOf(JSON.parse(text), 'it')) };
  } catch (thrown) {
    if (thrown instanceof Damage) return { damaged: thrown.message };
    if (thrown instanceof SyntaxError) return { damaged: 'it is not JSON' };
    throw thrown;
  }
}

export function writeUpdateState({ state: file }: UpdatePaths, state: UpdateState): void {
  writeDurably(file, `${JSON.stringify(state, null, 2)}\n`);
}

class Damage extends Error {}

type Fields = Readonly<Record<string, unknown>>;

function stateOf(fields: Fields): UpdateState {
  const named = fields['current'];
  const current: BinaryName = named === 'base' ? named : slotOf(named, 'current');
  const slots = fieldsOf(fields['slots'], 'slots');
  const state: UpdateState = {
    base: identityOf(fieldsOf(fields['base'], 'base')),
    current,
    slots: { ...contentIn(slots, 'a'), ...contentIn(slots, 'b') },
    ...optional(fields, 'trial', trialOf),
    ...optional(fields, 'guard', watchdogProcessOf),
    ...optional(fields, 'returned', failedUpdateOf),
  };
  for (const name of [state.current, state.trial?.slot]) {
    if (isSlot(name) && state.slots[name] === undefined)
      throw new Damage(`slot ${name} is named but missing`);
  }
  return state;
}

function identityOf(fields: Fields): BinaryIdentity {
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

function watchdogProcessOf(fields: Fields): WatchdogProcess {
  return {
    pid: numberIn(fields, 'pid'),
    started: numberIn(fields, 'started'),
    boot: textIn(fields, 'boot'),
  };
}

function failedUpdateOf(fields: Fields): FailedUpdate {
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
  if (typeof value !== 'object' || value === null) throw new Damage(`"${name}" is not an object`);
  return Object.fromEntries(Object.entries(value));
}

function textIn(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new Damage(`"${name}" is not a string`);
  return value;
}

function numberIn(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || value < 0) throw new Damage(`"${name}" is not a number`);
  return value;
}

function slotOf(value: unknown, name: string): SlotName {
  if (!isSlot(value)) throw new Damage(`"${name}" is not a slot`);
  return value;
}
