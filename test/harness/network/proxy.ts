import type { Server } from 'node:net';
import { createServer } from 'node:net';
import type { SeededRandom } from '../seeded-random.ts';
import type { Pair } from './pair.ts';
import { createPair } from './pair.ts';

/**
 * Behaviour of a network:
 * - `normal`: bytes are forwarded at once.
 * - `slow`: bytes are forwarded late, in pieces of any size.
 * - `dropAnswers`: bytes of the server are dropped.
 * - `halfOpen`: the connection to the server is closed without the client. A new connection gets no answer.
 * - `blackHole`: no bytes are forwarded. Half of the connections continue when the condition changes.
 * - `refusing`: a new connection is reset at once.
 */
export type NetworkCondition = 'normal' | 'slow' | 'dropAnswers' | 'halfOpen' | 'blackHole' | 'refusing';

export type Traffic = { readonly up: number; readonly down: number; readonly connections: number };

export type Network = {
  readonly port: number;
  readonly setCondition: (now: NetworkCondition) => void;
  /** Closes all connections, some in the middle of a packet. New connections are accepted. */
  readonly cut: () => void;
  /** Number of connections that have lost bytes or never had a server, and cannot recover. */
  readonly broken: () => number;
  /** Forwarded bytes of clients and servers, and the number of connections. */
  readonly traffic: () => Traffic;
  readonly close: () => Promise<void>;
};

/**
 * Starts a proxy for the nodes of a server, like a network with a load balancer. Each connection tries the
 * next node first and skips nodes that refuse. Random choices depend on the arrival of packets, so that a
 * seed repeats the conditions but not every byte.
 */
export async function startProxy(targets: readonly number[], random: SeededRandom): Promise<Network> {
  const pairs = new Set<Pair>();
  const traffic = { up: 0, down: 0, connections: 0 };
  let condition: NetworkCondition = 'normal';

  const server = createServer({ allowHalfOpen: true, noDelay: true }, client => {
    if (condition === 'refusing') {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const turn = traffic.connections++;
    const pair = createPair(client, {
      targets: targets.map((_, index) => targets[(turn + index) % targets.length] ?? 0),
      random,
      condition,
      passed: (direction, bytes) => {
        traffic[direction] += bytes;
      },
      over: () => pairs.delete(pair),
    });
    pairs.add(pair);
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  const cut = (): void => {
    for (const pair of [...pairs]) pair.cut();
  };

  return {
    port: portOf(server),
    setCondition: now => {
      condition = now;
      for (const pair of [...pairs]) pair.setCondition(now);
    },
    cut,
    broken: () => Array.from(pairs).filter(pair => pair.broken()).length,
    traffic: () => ({ ...traffic }),
    close: async () => {
      cut();
      await new Promise(done => server.close(done));
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
