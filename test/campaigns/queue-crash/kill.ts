import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Result } from './campaign.ts';
import { wage } from './campaign.ts';

/** Kills processes with a store under load, `kills` times, and judges what they left. */
export async function killAgain(kills: number, seed: number): Promise<Result> {
  const root = mkdtempSync(join(tmpdir(), 'skerry-crash-'));
  const folder = join(root, 'store');
  try {
    return await wage({
      strikes: kills,
      seed,
      reports: root,
      most: 9,
      load: 1_200,
      site: {
        fresh: async () => {
          rmSync(folder, { recursive: true, force: true });
          return folder;
        },
        strike: async child => {
          const closed = once(child, 'close');
          child.kill('SIGKILL');
          await closed;
        },
      },
    });
  } finally {
    rmSync(root, { recursive: true });
  }
}
