import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { SeededRandom } from '../seeded-random.ts';
import type { Weather } from './proxy.ts';
import type { Verdict } from './way.ts';
import { createWay } from './way.ts';

/** A client's connection and the one to the server that belongs to it. */
export type Pair = {
  readonly weather: (now: Weather) => void;
  readonly cut: () => void;
  /** True if the connection has lost bytes or has no server, so it cannot recover. */
  readonly doomed: () => boolean;
};

export type PairSettings = {
  /** Ports of the server, in the order in which they are tried. */
  readonly targets: readonly number[];
  readonly dice: SeededRandom;
  readonly weather: Weather;
  readonly passed: (way: 'up' | 'down', bytes: number) => void;
  readonly over: () => void;
};

export function createPair(client: Socket, { targets, dice, passed, ...settings }: PairSettings): Pair {
  let { weather } = settings;
  let server: Socket | undefined;
  let over = false;
  /** The client has left, and a black hole keeps it from the server. */
  let ghost = false;
  /** After lost bytes nothing may pass, because the stream would differ from the one that was sent. */
  let doomed = weather === 'halfOpen';

  const end = (): void => {
    if (over) return;
    over = true;
    up.stop();
    down.stop();
    if (dice.oneIn(2)) client.resetAndDestroy();
    else client.destroy();
    server?.destroy();
    settings.over();
  };
  const verdict = (way: 'up' | 'down'): Verdict => {
    if (way === 'down' && weather === 'deaf') doomed = true;
    if (doomed && (way === 'down' || server === undefined)) return 'drop';
    if (weather === 'blackHole' || server === undefined) return 'hold';
    return weather === 'slow' ? 'late' : 'pass';
  };
  const up = createWay({
    dice,
    verdict: () => verdict('up'),
    sender: () => client,
    receiver: () => server,
    passed: bytes => passed('up', bytes),
  });
  const down = createWay({
    dice,
    verdict: () => verdict('down'),
    sender: () => server,
    receiver: () => client,
    passed: bytes => passed('down', bytes),
  });

  const clientLeft = (): void => {
    ghost = weather === 'blackHole' && server !== undefined;
    if (!ghost) end();
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
      if (!doomed) down.finish(end);
    };
    found.on('data', chunk => down.push(chunk));
    found.on('drain', () => up.flow());
    found.on('error', serverLeft);
    found.on('end', serverLeft);
    up.flow();
  };
  if (!doomed) reach(targets, serve);

  return {
    weather: next => {
      weather = next;
      if (ghost && weather !== 'blackHole') end();
      // Half of the connections in a black hole are forgotten by some router on the way.
      if (weather === 'halfOpen' || (weather === 'blackHole' && dice.oneIn(2))) {
        doomed = true;
        server?.destroy();
        server = undefined;
      }
      up.flow();
      down.flow();
    },
    cut: () => {
      // The server may be left with half a packet.
      server?.write(up.part());
      end();
    },
    doomed: () => doomed,
  };
}

/** Connects to the first that takes it. */
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
