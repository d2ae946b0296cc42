import { randomInt } from 'node:crypto';
import { folderWith, freePort, removeFolder } from '../e2e/stage.ts';
import type { Attack } from './attack.ts';
import { startAttack } from './attack.ts';
import type { Memory, WatchedHub } from './hub.ts';
import { watchHub } from './hub.ts';
import type { Testimony } from './witness.ts';
import { startWitness } from './witness.ts';

/** Bytes that the hub may hold in the end beyond what it held after the first tenth. */
export const GROWTH_BOUND: number = 16 << 20;

/** Milliseconds without packets before memory is read, so that sessions have ended and garbage is collected. */
const PAUSE = 8_000;

const MANIFEST = {
  name: 'hub',
  storeAndForward: { maxSize: '1G', ttl: '60s' },
  routes: {
    fork: "FROM topic('a/#') INTO topic('forked')",
    search: "FROM /messages/* WHERE $body.celsius > 30 OR place = 'roof' INTO $upstream",
  },
};

export type CampaignReport = {
  readonly packets: number;
  readonly seconds: number;
  readonly connections: number;
  readonly closes: readonly (readonly [reason: string, times: number])[];
  readonly memory: { readonly start: Memory; readonly tenth: Memory; readonly end: Memory };
  readonly witness: Testimony;
  /** Sentences, each one a reason to fail. */
  readonly faults: readonly string[];
};

/** Sends `packets` mutated packets to a hub, and tells how it fared. `progress` hears how many are sent. */
export async function campaign(
  packets: number,
  seed: number,
  progress: (sent: number) => void,
): Promise<CampaignReport> {
  const port = await freePort();
  const manifest = { ...MANIFEST, listeners: [{ mqtt: `127.0.0.1:${port}` }] };
  const folder = folderWith({ 'hub.json': JSON.stringify(manifest) });
  const hub = await watchHub(folder);
  const began = performance.now();
  try {
    const start = hub.memory();
    const witness = await startWitness(port, `own-${randomInt(2 ** 32).toString(16)}`);
    const attack = startAttack(port, seed);
    const timer = setInterval(() => progress(attack.packets()), 5_000);
    await reach(attack, hub, packets / 10);
    const tenth = hub.memory();
    await reach(attack, hub, packets);
    clearInterval(timer);
    const seconds = (performance.now() - began) / 1000;
    const remembered = [...attack.remembered()];
    await attack.stop();
    const testimony = await witness.stop();
    await new Promise(done => setTimeout(done, PAUSE));
    const end = hub.alive() ? hub.memory() : start;
    const faults = [...faultsOf(hub, tenth, end), ...testimony.faults];
    if (faults.length > 0) faults.push(...remembered.slice(-100).map(sent => describe(sent.address, sent.bytes)));
    const memory = { start, tenth, end };
    return {
      packets: attack.packets(),
      seconds,
      connections: attack.connections(),
      closes: hub.closes(),
      memory,
      witness: testimony,
      faults,
    };
  } finally {
    await hub.stop();
    removeFolder(folder);
  }
}
