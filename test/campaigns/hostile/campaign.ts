import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderWith, freePort, removeFolder } from '../../harness/binary.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { hostileClients } from './clients.ts';
import { startHonestClient } from './honest.ts';
import { startWatchedHub } from './hub.ts';
import { hostileFiles, hostileLocalUser } from './local.ts';
import { hostilePages } from './pages.ts';
import type { Role } from './roles.ts';
import { pauseOf } from './roles.ts';
import { hostileUpstream } from './upstream.ts';

/**
 * Maximum milliseconds after the attack until sessions have ended and descriptors and memory are released.
 */
const AFTER = 12_000;

/** Maximum milliseconds of a message of the honest client. */
const MAX_STALL = 1_000;

/** Maximum growth of the number of descriptors of the hub. */
const MAX_MORE_FILES = 8;

/** Maximum growth of the anonymous memory of the hub in bytes. */
const MAX_MORE_BYTES = 24 << 20;

export type HostileReport = {
  readonly published: number;
  readonly longestMs: number;
  /** Maximum milliseconds including the time for which other virtual machines had the processors. */
  readonly longestWithStealMs: number;
  readonly files: { readonly start: number; readonly most: number; readonly end: number };
  readonly memory: { readonly start: number; readonly most: number; readonly end: number };
  readonly faults: readonly string[];
};

const ROLES: readonly Role[] = [
  hostileClients,
  hostileUpstream,
  hostilePages,
  hostileLocalUser,
  hostileFiles,
];

/** Runs all roles at the same time for some seconds. Reports the state of the hub and the honest client. */
export async function hostileCampaign(
  seconds: number,
  seed: number,
  stallMs = MAX_STALL,
): Promise<HostileReport> {
  const [port, webPort, tlsPort, upstreamPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const certificates = join(import.meta.dirname, '../../certificates');
  const manifest = {
    name: 'hostile',
    listeners: [
      { mqtt: `127.0.0.1:${port}` },
      { ws: `127.0.0.1:${webPort}`, path: '/mqtt' },
      { mqtts: `127.0.0.1:${tlsPort}`, cert: 'server.pem', key: 'server.key' },
    ],
    storeAndForward: { maxSize: '64M', maxQueueSize: '8M', whenFull: 'dropOldest', ttl: '60s' },
    upstream: { url: `mqtt://127.0.0.1:${upstreamPort}`, down: ['d/#'] },
    modules: {
      liar: {
        exec: [process.execPath, join(import.meta.dirname, 'module.mjs'), String(seed)],
        io: 'lines',
        restart: 'always',
      },
      reader: { exec: ['sh', '-c', 'while read -r line; do :; done'], io: 'lines' },
    },
    routes: {
      up: 'FROM /messages/modules/liar/* INTO $upstream',
      kept: 'FROM topic("kept/#") INTO $upstream',
      down: 'FROM $upstream INTO BrokeredEndpoint("/modules/reader/inputs/in")',
      inward: 'FROM /messages/modules/liar/* INTO BrokeredEndpoint("/modules/reader/inputs/in")',
    },
  };
  const folder = folderWith({ 'manifest.json': JSON.stringify(manifest) });
  for (const file of ['server.pem', 'server.key']) copyFileSync(join(certificates, file), join(folder, file));
  const data = join(folder, 'data');
  const hub = await startWatchedHub(join(folder, 'manifest.json'), data);
  try {
    await pauseOf(2_000);
    const start = hub.holds();
    const most = { ...start };
    const watch = setInterval(() => {
      const now = hub.holds();
      most.files = Math.max(most.files, now.files);
      most.memory = Math.max(most.memory, now.memory);
    }, 200);
    const honest = await startHonestClient(port);
    const end = performance.now() + seconds * 1000;
    const over = (): boolean => performance.now() > end || !hub.alive();
    await Promise.all(
      ROLES.map((role, index) =>
        role({
          folder,
          data,
          port,
          webPort,
          tlsPort,
          upstreamPort,
          dice: seededRandom(seed * 10 + index),
          over,
        }),
      ),
    );
    const { published, longestMs, longestWithStealMs, faults: missed } = await honest.stop();
    for (const until = performance.now() + AFTER; performance.now() < until && hub.alive(); ) {
      await pauseOf(500);
      const now = hub.holds();
      if (now.files <= start.files + MAX_MORE_FILES && now.memory <= start.memory + MAX_MORE_BYTES / 4) break;
    }
    clearInterval(watch);
    const last = hub.holds();
    const faults = [
      ...missed,
      ...(hub.alive() ? [] : ['the hub ended']),
      ...(longestMs > stallMs ? [`a message of the honest client took ${longestMs.toFixed(0)} ms`] : []),
      ...(last.files > start.files + MAX_MORE_FILES
        ? [`${last.files} files are open, ${start.files} at the start`]
        : []),
      ...(last.memory > start.memory + MAX_MORE_BYTES
        ? [`${last.memory} bytes of memory, ${start.memory} at the start`]
        : []),
      ...hub.exceptions(),
    ];
    return {
      published,
      longestMs,
      longestWithStealMs,
      files: { start: start.files, most: most.files, end: last.files },
      memory: { start: start.memory, most: most.memory, end: last.memory },
      faults,
    };
  } finally {
    await hub.stop();
    removeFolder(folder);
  }
}
