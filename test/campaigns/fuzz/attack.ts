import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { SeededRandom } from '../../harness/seeded-random.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { createMutationBuffer } from './mutate.ts';
import type { Stock } from './scripts.ts';
import { createStock, scriptOf } from './scripts.ts';

/** Number of concurrent connections. */
const CONNECTIONS = 100;

/** Maximum number of bursts of a connection. */
const MAX_BURSTS = 40;

/**
 * Milliseconds without an answer after which the next burst is sent, because the hub may wait for the end of
 * a packet.
 */
const PATIENCE = 20;

/** Maximum packet identifiers of the hub that a connection stores to acknowledge them. */
const MAX_KNOWN = 32;

/** Maximum connections whose bytes are stored to report the cause of a failure of the hub. */
const MAX_REMEMBERED = 400;

/** Bytes that a connection has sent. */
export type Sent = { readonly address: string; readonly bytes: Buffer[] };

export type Attack = {
  readonly packets: () => number;
  readonly connections: () => number;
  /** All sent bytes of the newest connections. */
  readonly remembered: () => readonly Sent[];
  /** Resolves when a number of mutated packets is sent. */
  readonly until: (packets: number) => Promise<void>;
  /** Ends all connections. Resolves when they are closed. */
  readonly stop: () => Promise<void>;
};

/** Sends mutated packets, which depend only on the seed, to the hub on `port` over many connections. */
export function startAttack(port: number, seed: number): Attack {
  const stock = createStock(seededRandom(seed));
  const remembered: Sent[] = [];
  const open = new Set<Promise<void>>();
  let packets = 0;
  let connections = 0;
  let stopped = false;
  let goal = Number.POSITIVE_INFINITY;
  let reached: (() => void) | undefined;

  const count = (sent: number): void => {
    packets += sent;
    if (packets >= goal) reached?.();
  };

  const run = async (): Promise<void> => {
    while (!stopped) {
      const number = ++connections;
      const dice = seededRandom(seed + number);
      const sent: Sent = { address: addressOf(number), bytes: [] };
      remembered.push(sent);
      if (remembered.length > MAX_REMEMBERED) remembered.shift();
      await attackOnce({ port, dice, stock, sent, count, stopped: () => stopped });
    }
  };
  for (let index = 0; index < CONNECTIONS; index++) open.add(run());

  return {
    packets: () => packets,
    connections: () => connections,
    remembered: () => remembered,
    until: wanted => {
      goal = wanted;
      return new Promise(done => {
        reached = done;
        count(0);
      });
    },
    stop: async () => {
      stopped = true;
      await Promise.all(open);
    },
  };
}

/** Loopback address by which the hub's log identifies a connection. */
function addressOf(number: number): string {
  return `127.1.${(number >> 8) % 256}.${number % 256}`;
}

type Attempt = {
  readonly port: number;
  readonly dice: SeededRandom;
  readonly stock: Stock;
  readonly sent: Sent;
  readonly count: (packets: number) => void;
  readonly stopped: () => boolean;
};

/** Runs a connection. Resolves when it is closed. */
function attackOnce({ port, dice, stock, sent, count, stopped }: Attempt): Promise<void> {
  const script = scriptOf(dice, stock);
  const buffer = createMutationBuffer(dice);
  const known: number[] = [];
  const socket = connect({ port, host: '127.0.0.1', localAddress: sent.address, noDelay: true });
  let left = 1 + dice.below(MAX_BURSTS);
  let closed = false;
  let mutated = script.begin(buffer);

  const next = (): void => {
    if (socket.destroyed || closed) return;
    if (left-- === 0 || stopped()) {
      closed = true;
      closeSomehow(socket, dice);
      return;
    }
    count(mutated + script.goOn(buffer, known));
    mutated = 0;
    const bytes = buffer.take();
    sent.bytes.push(bytes);
    writeSplit(socket, bytes, dice);
    timer.refresh();
  };
  const timer = setTimeout(() => next(), PATIENCE);

  socket.on('data', (chunk: Buffer) => {
    collectIdentifiers(chunk, known);
    next();
  });
  socket.once('connect', next);
  // The hub resets a connection whose bytes it no longer reads.
  socket.on('error', () => socket.destroy());
  return new Promise(done =>
    socket.once('close', () => {
      clearTimeout(timer);
      done();
    }),
  );
}

/** Writes bytes in one chunk or in two, which the hub reads in one turn of its event loop or in two. */
function writeSplit(socket: Socket, bytes: Buffer, dice: SeededRandom): void {
  if (!dice.oneIn(4)) {
    socket.write(bytes);
    return;
  }
  const cut = dice.below(bytes.length);
  socket.write(bytes.subarray(0, cut));
  setImmediate(() => {
    if (socket.writable) socket.write(bytes.subarray(cut));
  });
}

/** Closes a connection with DISCONNECT, with the end of the stream, or with a reset. */
function closeSomehow(socket: Socket, dice: SeededRandom): void {
  const way = dice.below(3);
  if (way === 0) socket.end(Buffer.from([0xe0, 0x00]));
  else if (way === 1) socket.end();
  else socket.resetAndDestroy();
}

/**
 * Collects packet identifiers of PUBLISH and PUBREL from a chunk of the hub. Most chunks begin with a packet.
 */
function collectIdentifiers(chunk: Buffer, known: number[]): void {
  for (let at = 0; at + 4 <= chunk.length; ) {
    const first = chunk[at] ?? 0;
    const [length, body] = lengthAt(chunk, at + 1);
    if (first >> 4 === 3 && (first & 0x06) > 0 && body + 2 <= chunk.length) {
      const idAt = body + 2 + chunk.readUInt16BE(body);
      if (idAt + 2 <= chunk.length) known.push(chunk.readUInt16BE(idAt));
    } else if (first === 0x62) known.push(chunk.readUInt16BE(at + 2));
    at = body + length;
  }
  if (known.length > MAX_KNOWN) known.splice(0, known.length - MAX_KNOWN);
}

function lengthAt(bytes: Buffer, at: number): [length: number, end: number] {
  let length = 0;
  for (let index = 0; index < 4; index++) {
    const byte = bytes[at + index] ?? 0;
    length += (byte & 0x7f) * 0x80 ** index;
    if (byte < 0x80) return [length, at + index + 1];
  }
  return [length, at + 4];
}
