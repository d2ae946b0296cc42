import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderWith, freePort, removeFolder } from '../../harness/binary.ts';
import { startAttack } from './attack.ts';
import type { Memory } from './hub.ts';
import { watchHub } from './hub.ts';
import { startWitness } from './witness.ts';

/**
 * Milliseconds without packets before memory is read, so that sessions have ended and garbage is collected.
 */
const PAUSE = 8_000;

const MANIFEST = {
  name: 'hub',
  storeAndForward: { maxSize: '1G', ttl: '60s' },
  routes: {
    fork: 'FROM topic("a/#") INTO topic("forked")',
    search: `FROM /messages/* WHERE $body.celsius > 30 OR place = 'roof' INTO topic("found")`,
  },
};

export type CampaignReport = {
  readonly packets: number;
  readonly seconds: number;
  readonly connections: number;
  readonly closes: readonly (readonly [reason: string, times: number])[];
  readonly memory: { readonly start: Memory; readonly half: Memory; readonly end: Memory };
  /** By the honest client, which got all of it in order if it has no fault. */
  readonly published: number;
  /** Sentences, each one a reason to fail; of memory `growthFaults` tells. */
  readonly faults: readonly string[];
};

/**
 * Sends `packets` mutated packets to a hub, and tells how it fared. `progress` hears how many are sent, from
 * time to time.
 */
export async function campaign(
  packets: number,
  seed: number,
  progress: (sent: number, memory: Memory) => void,
): Promise<CampaignReport> {
  const port = await freePort();
  const manifest = { ...MANIFEST, listeners: [{ mqtt: `127.0.0.1:${port}` }] };
  const folder = folderWith({ 'hub.json': JSON.stringify(manifest) });
  let suspects: string | undefined;
  const hub = await watchHub(folder, () => {
    suspects ??= JSON.stringify(attack.remembered(), (_, value) =>
      value?.type === 'Buffer' ? Buffer.from(value.data).toString('hex') : value,
    );
  });
  const start = hub.memory();
  const witness = await startWitness(port, `own-${randomInt(2 ** 32).toString(16)}`);
  const began = performance.now();
  const attack = startAttack(port, seed);
  try {
    const timer = setInterval(() => hub.alive() && progress(attack.packets(), hub.memory()), 10_000);
    await Promise.race([attack.until(packets / 2), hub.gone]);
    const half = hub.alive() ? hub.memory() : start;
    await Promise.race([attack.until(packets), hub.gone]);
    clearInterval(timer);
    const seconds = (performance.now() - began) / 1000;
    const survived = hub.alive();
    await attack.stop();
    const testimony = await witness.stop();
    await new Promise(done => setTimeout(done, PAUSE));
    const end = hub.alive() ? hub.memory() : start;
    const faults = [
      ...(survived && hub.alive() ? [] : ['the hub ended']),
      ...testimony.faults,
      ...hub.troubles(),
    ];
    if (suspects !== undefined) faults.push(`what the connections sent stands in ${keep(suspects, seed)}`);
    return {
      packets: attack.packets(),
      seconds,
      connections: attack.connections(),
      closes: hub.closes(),
      memory: { start, half, end },
      published: testimony.published,
      faults,
    };
  } finally {
    await hub.stop();
    removeFolder(folder);
  }
}

/**
 * Anonymous memory that grew by more than `bound` bytes. What else is resident are pages of files, mostly the
 * store's, which the system takes back when it needs them.
 */
export function growthFaults(from: Memory, to: Memory, bound: number): string[] {
  if (to.anonymous <= from.anonymous + bound) return [];
  return [`anonymous memory grew from ${from.anonymous} to ${to.anonymous} bytes`];
}

/** Keeps what may have brought the hub down for a closer look. */
function keep(suspects: string, seed: number): string {
  const file = join(tmpdir(), `skerry-fuzz-${seed}.json`);
  writeFileSync(file, suspects);
  return file;
}
