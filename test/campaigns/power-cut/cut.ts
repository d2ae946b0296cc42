import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FailureSite, Result } from '../queue-crash/campaign.ts';
import { runCampaign } from '../queue-crash/campaign.ts';
import { MANNERS } from './disk.ts';
import type { Cut } from './machine.ts';
import { createMachine, PLAIN_CUT } from './machine.ts';

/**
 * Control that the power cuts lose unflushed writes. Without the control a result of no loss would prove
 * nothing.
 */
export type Control = {
  /** Cuts after which an unflushed file was still complete. */
  survived: number;
  /** Cuts with unflushed writes. */
  amid: number;
  /** Sectors written since the last flush. */
  unflushed: number;
  /** Unflushed sectors that the cuts lost. */
  lost: number;
};

/** Maximum milliseconds of load before a cut. Flushes are slow on this disk. */
const LOAD = 2_500;

/** Maximum milliseconds that half of the cuts wait for an unflushed write. */
const PATIENCE = 300;

const UNFLUSHED_FILE_BYTES = 1 << 16;

/** Cuts the power of a disk under a store with load `cuts` times, and checks the content of the store. */
export async function cutAgain(
  cuts: number,
  seed: number,
  flushes: boolean,
): Promise<{ readonly result: Result; readonly control: Control }> {
  const root = mkdtempSync(join(tmpdir(), 'skerry-powercut-'));
  const machine = createMachine(root, flushes);
  const unflushedFile = join(machine.mount, 'unflushed');
  const control: Control = { survived: 0, amid: 0, unflushed: 0, lost: 0 };
  const site: FailureSite = {
    fresh: async () => {
      await machine.powerOff(PLAIN_CUT);
      machine.format();
      await machine.powerOn();
      return join(machine.mount, 'store');
    },
    fail: async (child, chance) => {
      const cut: Cut = {
        manner: flushes ? chance.oneOf(MANNERS) : 'all',
        seed: chance.below(1 << 30),
        patience: chance.oneOf([0, PATIENCE]),
      };
      rmSync(unflushedFile, { force: true });
      writeFileSync(unflushedFile, Buffer.alloc(UNFLUSHED_FILE_BYTES, 1));
      const { unflushed, lost } = await machine.powerOff(cut, child);
      if (unflushed > 0) control.amid++;
      control.unflushed += unflushed;
      control.lost += lost;
      await machine.powerOn();
      if (existsSync(unflushedFile) && statSync(unflushedFile).size === UNFLUSHED_FILE_BYTES)
        control.survived++;
    },
  };
  try {
    return {
      result: await runCampaign({ failures: cuts, seed, reports: root, most: 9, load: LOAD, site }),
      control,
    };
  } finally {
    await machine.powerOff(PLAIN_CUT);
    rmSync(root, { recursive: true });
  }
}
