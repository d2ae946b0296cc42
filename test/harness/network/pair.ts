import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { SeededRandom } from '../seeded-random.ts';
import type { ForwardAction } from './direction.ts';
import { createDirection } from './direction.ts';
import type { NetworkCondition } from './proxy.ts';

/** Connection of a client with its connection to the server. */
export type Pair = {
  readonly setCondition: (now: NetworkCondition) => void;
  readonly cut: () => void;
  /** True if the connection has lost bytes or has no server, so it cannot recover. */
  readonly broken: () => boolean;
};

export type PairSettings = {
  /** Ports of the server in the order of attempts. */
  readonly targets: readonly number[];
  readonly random: SeededRandom;
  readonly condition: NetworkCondition;
  readonly passed: (direction: 'up' | 'down', bytes: number) => void;
  readonly over: () => void;
};

export function createPair(client: Socket, { targets, random, passed, ...settings }: PairSettings): Pair {
  let { condition } = settings;
  let server: Socket | undefined;
  let over = false;
  /** True if the client has disconnected in a black hole, so that the server does not know. */
  let clientGone = false;
  /**
   * True after lost bytes. No more bytes are forwarded, because the stream would differ from the sent one.
   */
  let broken = condition === 'halfOpen';

  const end = (): void => {
    if (over) return;
    over = true;
    up.stop();
    down.stop();
    if (random.oneIn(2)) client.resetAndDestroy();
    else client.destroy();
    server?.destroy();
    settings.over();
  };
  const nextAction = (direction: 'up' | 'down'): ForwardAction => {
    if (direction === 'down' && condition === 'dropAnswers') broken = true;
    if (broken && (direction === 'down' || server === undefined)) return 'drop';
    if (condition === 'blackHole' || server === undefined) return 'store';
    return condition === 'slow' ? 'delay' : 'forward';
  };
  const up = createDirection({
    random,
    nextAction: () => nextAction('up'),
    sender: () => client,
    receiver: () => server,
    passed: bytes => passed('up', bytes),
  });
  const down = createDirection({
    random,
    nextAction: () => nextAction('down'),
    sender: () => server,
    receiver: () => client,
    passed: bytes => passed('down', bytes),
  });

  const clientLeft = (): void => {
    clientGone = condition === 'blackHole' && server !== undefined;
    if (!clientGone) end();
  };
  client.on('data', chunk => up.push(chunk));
  client.on('drain', () => down.flow());
  client.on('error', clientLeft);
  client.on('close', clientLeft);
  client.on('end', () => up.finish(() => server?.end()));

  const serve = (found: Socket | undefined): void => {
    if (over || found === undefined) {
      found?.destroy();
      end();
      return;
    }
    server = found;
    const serverLeft = (): void => {
      if (!broken) down.finish(end);
    };
    found.on('data', chunk => down.push(chunk));
    found.on('drain', () => up.flow());
    found.on('error', serverLeft);
    found.on('end', serverLeft);
    up.flow();
  };
  if (!broken) reach(targets, serve);

  return {
    setCondition: next => {
      condition = next;
      if (clientGone && condition !== 'blackHole') end();
      // A router forgets half of the connections in a black hole.
      if (condition === 'halfOpen' || (condition === 'blackHole' && random.oneIn(2))) {
        broken = true;
        server?.destroy();
        server = undefined;
      }
      up.flow();
      down.flow();
    },
    cut: () => {
      // The server may receive half a packet.
      server?.write(up.part());
      end();
    },
    broken: () => broken,
  };
}

/** Connects to the first port that accepts a connection. */
function reach([port, ...rest]: readonly number[], found: (socket: Socket | undefined) => void): void {
  if (port === undefined) {
    found(undefined);
    return;
  }
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const refused = (): void => reach(rest, found);
  socket.once('error', refused);
  socket.once('connect', () => {
    socket.off('error', refused);
    found(socket);
  });
}
