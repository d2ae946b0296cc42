import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PeerOwner } from '../../../src/supervisor/peers/find-peer.ts';
import { createPeerFinder } from '../../../src/supervisor/peers/find-peer.ts';
import { bytesOf } from '../../../src/supervisor/peers/tcp-table.ts';
import { skip } from '../../harness/skip.ts';
import type { SupervisorHarness } from '../../harness/supervisor.ts';
import { createRealClock, until, withSupervisor } from '../../harness/supervisor.ts';

const peers = suite('supervisor: owner of a peer process');

const ROOT = process.getuid?.() === 0;
const QUIET = { info: () => {}, warn: () => {}, error: () => {} };
const NO_PROCESSES = { byUser: () => undefined, pidsToScan: () => [] };

/** Runs `scenario` with a server on all addresses and its accepted connections. */
async function withServer(scenario: (server: Server, accepted: Socket[]) => Promise<void>): Promise<void> {
  const accepted: Socket[] = [];
  const server = createServer(socket => accepted.push(socket.on('error', () => {})));
  server.listen(0, '::');
  await once(server, 'listening');
  try {
    await scenario(server, accepted);
  } finally {
    for (const socket of accepted) socket.destroy();
    server.close();
  }
}

function portOf(server: Server): number {
  const { port } = server.address() as AddressInfo;
  return port;
}

function ownerOf(harness: Pick<SupervisorHarness, 'supervisor'>, socket: Socket): Promise<PeerOwner> {
  return new Promise(resolve => harness.supervisor.findPeer(socket, resolve));
}

/** Addresses of this machine beside loopback. */
const OWN = Object.values(networkInterfaces())
  .flatMap(all => all ?? [])
  .filter(({ internal, family, address }) => !internal && family === 'IPv4' && address !== '')
  .map(({ address }) => address);

for (const address of ['127.0.0.1', '127.5.5.5', '::1', ...OWN]) {
  peers(`a module that connects to ${address} is identified by the process of its connection`, () =>
    withServer((server, accepted) =>
      withSupervisor({ beneath: '/var/tmp' }, async harness => {
        const exec = ['bash', '-c', `exec 3<>/dev/tcp/${address}/${portOf(server)}; sleep 100`];
        const users = ROOT ? [{ user: 'dynamic' }, { sandbox: 'standard' } as const, {}] : [{}];
        for (const [index, more] of users.entries()) {
          const name = `m${index}`;
          await harness.supervisor.start([harness.sh(name, '', { exec, ...more })]);
          await until('it is connected', () => accepted.length === index + 1);
          const socket = accepted[index];
          if (socket === undefined) throw new Error('no socket');
          assert.equal(await ownerOf(harness, socket), { modules: [name] });
        }
        const own = connect(portOf(server), address);
        await until('it is connected', () => accepted.length === users.length + 1);
        const last = accepted.at(-1);
        if (last !== undefined) assert.is(await ownerOf(harness, last), 'other');
        own.destroy();
      }),
    ),
  );
}

peers('the lookup of the process of a closed connection returns unknown', () =>
  withServer(async (server, accepted) => {
    const clock = createRealClock();
    const find = createPeerFinder({ processes: NO_PROCESSES, clock, log: QUIET });
    const client = connect(portOf(server), '127.0.0.1');
    await until('it is connected', () => accepted.length === 1);
    const [socket] = accepted;
    if (socket === undefined) throw new Error('no socket');
    client.destroy();
    await once(client, 'close');
    assert.is(await new Promise(resolve => find(socket, resolve)), 'unknown');
  }),
);

peers('a thousand concurrent connections need two scans of the process table', () =>
  withServer(async (server, accepted) => {
    let scans = 0;
    const processes = {
      byUser: () => undefined,
      pidsToScan: () => {
        scans += 1;
        return [];
      },
    };
    const errors: string[] = [];
    const log = { ...QUIET, error: (text: string) => errors.push(text) };
    const find = createPeerFinder({ processes, clock: createRealClock(), log });
    const clients = Array.from({ length: 1_000 }, () => connect(portOf(server), '127.0.0.1'));
    await until('all are connected', () => accepted.length === clients.length);
    const owners: PeerOwner[] = [];
    for (const [index, socket] of accepted.entries()) {
      find(socket, owner => {
        owners.push(owner);
        if (index === 0) throw new Error('a fault of its own');
      });
    }
    await until('all are found', () => owners.length === clients.length);
    assert.ok(owners.every(owner => owner === 'other'));
    assert.is(scans, 2);
    assert.equal(errors, ['Cannot accept a client after the lookup of its process: a fault of its own.']);
    for (const client of clients) client.destroy();
  }),
);

peers('`bytesOf` parses IPv4 and IPv6 addresses', () => {
  const loopback = [...new Array<number>(15).fill(0), 1];
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ['127.0.0.1', [127, 0, 0, 1]],
    ['::ffff:10.1.2.3', [10, 1, 2, 3]],
    ['::1', loopback],
    ['0:0:0:0:0:0:0:1', loopback],
    ['fe80::1:2%eth0', [0xfe, 0x80, ...new Array<number>(10).fill(0), 0, 1, 0, 2]],
    ['2001:db8::', [0x20, 1, 0x0d, 0xb8, ...new Array<number>(12).fill(0)]],
    ['::', new Array<number>(16).fill(0)],
    ['64:ff9b::1.2.3.4', [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]],
  ];
  for (const [address, bytes] of cases) assert.equal(bytesOf(address), bytes, address);
});

if (OWN.length === 0) skip('this machine has no address but loopback');
peers.run();
