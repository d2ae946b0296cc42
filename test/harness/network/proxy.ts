import type { Server } from 'node:net';
import { createServer } from 'node:net';
import type { SeededRandom } from '../seeded-random.ts';
import type { Pair } from './pair.ts';
import { createPair } from './pair.ts';

/**
 * Behaviour of a network:
 * - `clear`: all passes.
 * - `slow`: all passes late, in pieces of any size.
 * - `deaf`: what the server says is dropped.
 * - `halfOpen`: the server's side is closed and the client is not told; a new connection gets no answer.
 * - `blackHole`: nothing passes and nobody is told; half of the connections go on when the weather changes.
 * - `refusing`: who connects is cut off at once.
 */
export type Weather = 'clear' | 'slow' | 'deaf' | 'halfOpen' | 'blackHole' | 'refusing';

export type Traffic = { readonly up: number; readonly down: number; readonly connections: number };

export type Network = {
  readonly port: number;
  readonly weather: (now: Weather) => void;
  /** Ends all connections, some in the middle of a packet; others may follow. */
  readonly cut: () => void;
  /** Connections that have lost bytes, or never had a server: nothing will come of them. */
  readonly doomed: () => number;
  /** Bytes that passed from clients and from servers, and connections, so far. */
  readonly traffic: () => Traffic;
  readonly close: () => Promise<void>;
};

/**
 * Stands before the nodes of a server, as a network and a balancer do: each connection begins with the next
 * node, and a node that refuses is passed over. What it throws the dice for comes in the order in which
 * packets come, so a seed repeats the weather, not each byte.
 */
export async function startProxy(targets: readonly number[], dice: SeededRandom): Promise<Network> {
  const pairs = new Set<Pair>();
  const traffic = { up: 0, down: 0, connections: 0 };
  let weather: Weather = 'clear';

  const server = createServer({ allowHalfOpen: true, noDelay: true }, client => {
    if (weather === 'refusing') {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const turn = traffic.connections++;
    const pair = createPair(client, {
      targets: targets.map((_, index) => targets[(turn + index) % targets.length] ?? 0),
      dice,
      weather,
      passed: (way, bytes) => {
        traffic[way] += bytes;
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
    weather: now => {
      weather = now;
      for (const pair of [...pairs]) pair.weather(now);
    },
    cut,
    doomed: () => Array.from(pairs).filter(pair => pair.doomed()).length,
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
