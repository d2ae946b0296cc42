import { join } from 'node:path';

/** Slots for hub binaries; at least one is free. */
export const SLOTS = ['a', 'b'] as const;
export type SlotName = (typeof SLOTS)[number];

/** Slot, or `base`: the installed binary, which systemd or a person starts. */
export type BinaryName = 'base' | SlotName;

export function isSlot(text: unknown): text is SlotName {
  return text === 'a' || text === 'b';
}

/** Paths of self-update files in the data folder. */
export type UpdatePaths = {
  readonly folder: string;
  readonly state: string;
  /** Exists while the hub on trial is not confirmed; the watchdog checks it. */
  readonly unconfirmed: string;
  /** Name to which the watchdog renames `unconfirmed` if the hub on trial stopped on request. */
  readonly stopped: string;
  /** Exists from the start of a confirmed slot until its hub is up. */
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
