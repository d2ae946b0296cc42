import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { CONNECT_TIMEOUT_MS } from '../limits.ts';
import { peerOf } from './socket.ts';

/**
 * Connection between accept and CONNECT, including the TLS handshake, the HTTP request and a partial CONNECT.
 */
export type Arrival = {
  /** Called when CONNECT has arrived: the connection belongs to the broker. */
  readonly connectReceived: () => void;
  /**
   * Called when the broker closes the connection. It keeps its place until the peer has read the reason, or
   * until another connection needs the place.
   */
  readonly closing: () => void;
  /** Sets the buffered bytes of the connection, beyond the fixed cost of an arrival. */
  readonly setBuffered: (bytes: number) => void;
};

/**
 * Gate of all listeners. It bounds the number of connections, and the number, memory and duration of those
 * before CONNECT.
 */
export type Gate = {
  /**
   * Admits an accepted socket whose handshake costs `cost` bytes of memory. Undefined if the socket was
   * refused and destroyed.
   */
  readonly admit: (socket: Socket, cost: number) => Arrival | undefined;
  /** Numbers of open connections and of those before CONNECT. */
  readonly open: () => number;
  readonly arriving: () => number;
};

export type GateSettings = {
  readonly clock: Clock;
  readonly log: Log;
  /** Maximum concurrent connections. */
  readonly capacity: () => number;
  /** Memory in bytes for all connections before CONNECT. */
  readonly bytes: number;
};

type Waiting = {
  readonly socket: Socket;
  readonly address: string;
  bytes: number;
  /** Frees the place. Only the first call has an effect. */
  readonly leavesOpen: () => void;
};

export function createGate({ clock, log, capacity, bytes: mostBytes }: GateSettings): Gate {
  /** Connections before CONNECT, oldest first. */
  const arrivals = new Set<Waiting>();
  const byAddress = new Map<string, number>();
  /** Connections that are closing, oldest first. */
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

  /**
   * Oldest connection of the address with the most: a peer that completes its CONNECT is among the newest.
   */
  const victim = (): Waiting | undefined => {
    let most = 0;
    let address: string | undefined;
    for (const [one, count] of byAddress) {
      if (count > most) [address, most] = [one, count];
    }
    for (const waiting of arrivals) if (waiting.address === address) return waiting;
    return undefined;
  };

  /** Closes a connection before CONNECT. Returns false if there is none. */
  const evict = (reason: string): boolean => {
    const waiting = victim();
    if (waiting === undefined) return false;
    log.warn(`Closed a connection from ${waiting.address} that has not sent CONNECT: ${reason}.`);
    leave(waiting);
    waiting.leavesOpen();
    waiting.socket.destroy();
    return true;
  };

  /**
   * Frees a place. Returns false if all belong to clients. A refused peer that does not close loses its
   * place.
   */
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
      // A client that sends CONNECT at once finds a place even if silent peers occupy all.
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
        connectReceived: () => {
          cancel();
          leave(waiting);
        },
        closing: () => {
          leave(waiting);
          if (!socket.destroyed) leaving.add(waiting);
        },
        setBuffered: kept => {
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
