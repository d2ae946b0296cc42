import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Result } from './campaign.ts';
import { runCampaign } from './campaign.ts';

/** Kills processes with a store under load `kills` times, and checks the content of the store. */
export async function killAgain(kills: number, seed: number): Promise<Result> {
  const root = mkdtempSync(join(tmpdir(), 'skerry-crash-'));
  const folder = join(root, 'store');
  try {
    return await runCampaign({
      failures: kills,
      seed,
      reports: root,
      most: 9,
      load: 1_200,
      site: {
        fresh: async () => {
          rmSync(folder, { recursive: true, force: true });
          return folder;
        },
        fail: async child => {
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
