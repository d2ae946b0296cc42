import { join } from 'node:path';

/** The two places for binaries of the hub, of which one is free. */
export const SLOTS = ['a', 'b'] as const;
export type SlotName = (typeof SLOTS)[number];

/** `base`: the binary that was installed, and that systemd or a person starts. */
export type BinaryName = 'base' | SlotName;

export function isSlot(text: unknown): text is SlotName {
  return text === 'a' || text === 'b';
}

/** Where updates of the hub lie in its data folder. */
export type Places = {
  readonly folder: string;
  readonly state: string;
  /** It is there while the hub on trial is not confirmed; the guard looks at it. */
  readonly unconfirmed: string;
  /** What the guard makes of it when the hub on trial ended because it was told to. */
  readonly stopped: string;
  /** It is there from the start of a slot that is not on trial until its hub is up. */
  readonly starting: string;
  readonly slotFolder: (slot: SlotName) => string;
  readonly binary: (slot: SlotName) => string;
};

export function placesIn(dataFolder: string): Places {
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
