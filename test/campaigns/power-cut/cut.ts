import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Result, Site } from '../queue-crash/campaign.ts';
import { wage } from '../queue-crash/campaign.ts';
import { MANNERS } from './disk.ts';
import type { Cut } from './machine.ts';
import { createMachine, PLAIN_CUT } from './machine.ts';

/**
 * Control that proves that the power cut loses unflushed writes. Without it, a result of no loss would prove
 * nothing.
 */
export type Control = {
  /** Cuts after which a file that was written just before, and never flushed, was whole. */
  survived: number;
  /** Cuts that came while writes waited for their flush. */
  amid: number;
  /** Sectors written since the last flush, and those of them that the cuts took. */
  unflushed: number;
  lost: number;
};

/** Milliseconds of load before a cut, at most: flushes take their time here. */
const LOAD = 2_500;

/** Milliseconds that half of the cuts wait for something that is not flushed. */
const PATIENCE = 300;

const WITNESS_BYTES = 1 << 16;

/** Cuts the power of machines with a store under load, `cuts` times, and judges what they left. */
export async function cutAgain(
  cuts: number,
  seed: number,
  flushes: boolean,
): Promise<{ readonly result: Result; readonly control: Control }> {
  const root = mkdtempSync(join(tmpdir(), 'skerry-powercut-'));
  const machine = createMachine(root, flushes);
  const witness = join(machine.mount, 'witness');
  const control: Control = { survived: 0, amid: 0, unflushed: 0, lost: 0 };
  const site: Site = {
    fresh: async () => {
      await machine.powerOff(PLAIN_CUT);
      machine.format();
      await machine.powerOn();
      return join(machine.mount, 'store');
    },
    strike: async (child, chance) => {
      const cut: Cut = {
        manner: flushes ? chance.oneOf(MANNERS) : 'all',
        seed: chance.below(1 << 30),
        patience: chance.oneOf([0, PATIENCE]),
      };
      rmSync(witness, { force: true });
      writeFileSync(witness, Buffer.alloc(WITNESS_BYTES, 1));
      const { unflushed, lost } = await machine.powerOff(cut, child);
      if (unflushed > 0) control.amid++;
      control.unflushed += unflushed;
      control.lost += lost;
      await machine.powerOn();
      if (existsSync(witness) && statSync(witness).size === WITNESS_BYTES) control.survived++;
    },
  };
  try {
    return { result: await wage({ strikes: cuts, seed, reports: root, most: 9, load: LOAD, site }), control };
  } finally {
    await machine.powerOff(PLAIN_CUT);
    rmSync(root, { recursive: true });
  }
}
