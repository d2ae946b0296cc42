import { join } from 'node:path';

/** Names of the slots (folders for hub binaries). At least one slot is always free. */
export const SLOTS = ['a', 'b'] as const;
export type SlotName = (typeof SLOTS)[number];

/**
 * Name of a slot, or `base` for the installed binary. The installed binary is the one that systemd or a user
 * starts.
 */
export type BinaryName = 'base' | SlotName;

export function isSlot(text: unknown): text is SlotName {
  return text === 'a' || text === 'b';
}

/** Paths of the self-update files in the data folder. */
export type UpdatePaths = {
  readonly folder: string;
  readonly state: string;
  /** File that exists until the hub on trial is confirmed. The watchdog checks whether this file exists. */
  readonly unconfirmed: string;
  /** Path to which the watchdog renames `unconfirmed` if the hub on trial was stopped by a signal. */
  readonly stopped: string;
  /** File that exists while the hub is starting from a confirmed slot. */
  readonly starting: string;
  readonly slotFolder: (slot: SlotName) => string;
  readonly binary: (slot: SlotName) => string;
};

export function updatePaths(dataFolder: string): UpdatePaths {
  const folder = join(dataFolder, 'hub');
  return {
    folder,
    state: join(folder, 'state.json'),
    unconfirmed: join(folder, 'unconfirmed'),
    stopped: join(folder, 'stopped'),
    starting: join(folder, 'starting'),
    slotFolder: slot => join(folder, slot),
    binary: slot => join(folder, slot, 'skerry'),
  };
}
