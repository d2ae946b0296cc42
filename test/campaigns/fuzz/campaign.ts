import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderWith, freePort, removeFolder } from '../../harness/binary.ts';
import { startAttack } from './attack.ts';
import { startHonestClient } from './honest-client.ts';
import type { Memory } from './hub.ts';
import { watchHub } from './hub.ts';

/**
 * Milliseconds without packets before the memory is read, so that sessions end and garbage is collected.
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
  /** Number of messages of the honest client. */
  readonly published: number;
  /** Faults, one sentence each, except growth of memory (`growthFaults`). */
  readonly faults: readonly string[];
};

/**
 * Sends `packets` mutated packets to a hub and reports the result. Calls `progress` with the number of sent
 * packets from time to time.
 */
export async function campaign(
  packets: number,
  seed: number,
  progress: (sent: number, memory: Memory) => void,
): Promise<CampaignReport> {
  const port = await freePort();
  const manifest = { ...MANIFEST, listeners: [{ mqtt: `127.0.0.1:${port}` }] };
  const folder = folderWith({ 'hub.json': JSON.stringify(manifest) });
  let sentPackets: string | undefined;
  const hub = await watchHub(folder, () => {
    sentPackets ??= JSON.stringify(attack.remembered(), (_, value) =>
      value?.type === 'Buffer' ? Buffer.from(value.data).toString('hex') : value,
    );
  });
  const start = hub.memory();
  const honest = await startHonestClient(port, `own-${randomInt(2 ** 32).toString(16)}`);
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
    const honestReport = await honest.stop();
    await new Promise(done => setTimeout(done, PAUSE));
    const end = hub.alive() ? hub.memory() : start;
    const faults = [
      ...(survived && hub.alive() ? [] : ['the hub ended']),
      ...honestReport.faults,
      ...hub.troubles(),
    ];
    if (sentPackets !== undefined) faults.push(`the sent packets are in ${keep(sentPackets, seed)}`);
    return {
      packets: attack.packets(),
      seconds,
      connections: attack.connections(),
      closes: hub.closes(),
      memory: { start, half, end },
      published: honestReport.published,
      faults,
    };
  } finally {
    await hub.stop();
    removeFolder(folder);
  }
}

/**
 * Reports growth of the anonymous memory by more than `bound` bytes. Other resident memory is pages of files,
 * mostly of the store, which the system reclaims when needed.
 */
export function growthFaults(from: Memory, to: Memory, bound: number): string[] {
  if (to.anonymous <= from.anonymous + bound) return [];
  return [`anonymous memory grew from ${from.anonymous} to ${to.anonymous} bytes`];
}

/** Saves the packets that may have caused the failure. Returns the file. */
function keep(sentPackets: string, seed: number): string {
  const file = join(tmpdir(), `skerry-fuzz-${seed}.json`);
  writeFileSync(file, sentPackets);
  return file;
}
