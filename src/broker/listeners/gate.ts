import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { CONNECT_TIMEOUT_MS } from '../limits.ts';
import { peerOf } from './socket.ts';

/** A connection from its accept to its CONNECT: a TLS handshake, an HTTP request and half a CONNECT among them. */
export type Arrival = {
  /** Its CONNECT is here: it is the broker's from now on. */
  readonly entered: () => void;
  /** The broker has closed it: it has its place until its peer has read the reason, or another needs the place. */
  readonly leaves: () => void;
  /** Sets the bytes that are kept of what it has sent, beside what any arrival costs. */
  readonly keeps: (bytes: number) => void;
};

/** The way into all listeners. It bounds the connections, and those before their CONNECT in number, memory and time. */
export type Gate = {
  /** Admits an accepted socket of which a handshake takes `cost` bytes of memory. Undefined if it was refused and destroyed. */
  readonly admit: (socket: Socket, cost: number) => Arrival | undefined;
  /** Connections that are open, and how many of them have not sent CONNECT. */
  readonly open: () => number;
  readonly arriving: () => number;
};

export type GateSettings = {
  readonly clock: Clock;
  readonly log: Log;
  /** Connections at once. */
  readonly capacity: () => number;
  /** Bytes of memory for all connections before their CONNECT. */
  readonly bytes: number;
};

type Waiting = {
  readonly socket: Socket;
  readonly address: string;
  bytes: number;
  /** Its place is free, once. */
  readonly leavesOpen: () => void;
};

export function createGate({ clock, log, capacity, bytes: mostBytes }: GateSettings): Gate {
  /** Connections before their CONNECT, the oldest first. */
  const arrivals = new Set<Waiting>();
  const byAddress = new Map<string, number>();
  /** Connections that are closed and not gone yet, the oldest first. */
  const leaving = new Set<Waiting>();
  let open = 0;
  let bytes = 0;

  const leave = (waiting: Waiting): void => {
    if (!arrivals.delete(waiting)) return;
    bytes -= waiting.bytes;
    const left = (byAddress.get(waiting.address) ?? 1) - 1;
    if (left === 0) byAddress.delete(waiting.address);
    else byAddress.set(waiting.address, left);
  };

  /** The oldest of the address that has most: a peer that completes its CONNECT is among the newest. */
  const victim = (): Waiting | undefined => {
    let most = 0;
    let address: string | undefined;
    for (const [one, count] of byAddress) {
      if (count > most) [address, most] = [one, count];
    }
    for (const waiting of arrivals) if (waiting.address === address) return waiting;
    return undefined;
  };

  /** Closes a connection that has not sent CONNECT; false: there is none. */
  const evict = (reason: string): boolean => {
    const waiting = victim();
    if (waiting === undefined) return false;
    log.warn(`Closed a connection from ${waiting.address} that has not sent CONNECT: ${reason}.`);
    leave(waiting);
    waiting.leavesOpen();
    waiting.socket.destroy();
    return true;
  };

  /** Frees a place; false: all belong to clients. A refused peer that does not close its side has none for long. */
  const freePlace = (): boolean => {
    for (const oldest of leaving) {
      leaving.delete(oldest);
      oldest.leavesOpen();
      oldest.socket.destroy();
      return true;
    }
    return evict(`${capacity()} connections are open`);
  };

  const makeRoom = (): void => {
    while (bytes > mostBytes) {
      if (!evict(`such connections take ${bytes} bytes, more than their ${mostBytes}`)) return;
    }
  };

  return {
    admit: (socket, cost) => {
      const { address } = peerOf(socket);
      // A client that sends CONNECT at once finds a place although others hold all of them and send nothing.
      if (open >= capacity() && !freePlace()) {
        log.warn(`Refused a connection from ${address}: ${capacity()} connections are open.`);
        socket.destroy();
        return undefined;
      }
      open++;
      let counted = true;
      const leavesOpen = (): void => {
        if (counted) open--;
        counted = false;
      };
      const waiting: Waiting = { socket, address, bytes: cost, leavesOpen };
      arrivals.add(waiting);
      byAddress.set(address, (byAddress.get(address) ?? 0) + 1);
      bytes += cost;
      const cancel = clock.after(CONNECT_TIMEOUT_MS, () => {
        log.info(`Closed a connection from ${address}: no CONNECT came in time.`);
        socket.destroy();
      });
      socket.once('close', () => {
        leavesOpen();
        cancel();
        leave(waiting);
        leaving.delete(waiting);
      });
      makeRoom();
      if (!arrivals.has(waiting)) return undefined;
      return {
        entered: () => {
          cancel();
          leave(waiting);
        },
        leaves: () => {
          leave(waiting);
          if (!socket.destroyed) leaving.add(waiting);
        },
        keeps: kept => {
          if (!arrivals.has(waiting)) return;
          bytes += cost + kept - waiting.bytes;
          waiting.bytes = cost + kept;
          makeRoom();
        },
      };
    },
    open: () => open,
    arriving: () => arrivals.size,
  };
}
