import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { CONNECT_TIMEOUT_MS } from '../limits.ts';
import { peerOf } from './socket.ts';

/**
 * Handle of a connection that the gate has admitted. The gate limits the memory and the duration of the
 * connection until CONNECT has arrived, including the TLS handshake and the HTTP request.
 */
export type Arrival = {
  /** Called when CONNECT has arrived. Ends the timeout, and stops counting the memory of the connection. */
  readonly connectReceived: () => void;
  /**
   * Called when the broker starts to close the connection. The connection counts as open until its socket is
   * closed. Until then, the gate can destroy the socket to accept a new connection if the maximum number of
   * connections is reached.
   */
  readonly closing: () => void;
  /** Sets the number of buffered bytes of an incomplete CONNECT. */
  readonly setBuffered: (bytes: number) => void;
};

/**
 * Gate through which the connections of all listeners pass. The gate limits the number of connections, and
 * the memory and duration of connections that have not sent CONNECT.
 */
export type Gate = {
  /**
   * Admits an accepted socket. `cost` is the estimated memory of the connection before CONNECT, in bytes.
   * Returns undefined if the socket was refused and destroyed.
   */
  readonly admit: (socket: Socket, cost: number) => Arrival | undefined;
  /** Returns the number of open connections. */
  readonly open: () => number;
  /** Returns the number of connections that have not sent CONNECT. */
  readonly arriving: () => number;
};

export type GateSettings = {
  readonly clock: Clock;
  readonly log: Log;
  /** Returns the maximum number of concurrent connections. */
  readonly capacity: () => number;
  /** Maximum memory in bytes of all connections that have not sent CONNECT. */
  readonly bytes: number;
};

/** Connection that has passed the gate. */
type Admitted = {
  readonly socket: Socket;
  readonly address: string;
  /** Memory in bytes that is counted for the connection. */
  bytes: number;
  /** Subtracts the connection from the number of open connections. Only the first call has an effect. */
  readonly uncount: () => void;
};

export function createGate({ clock, log, capacity, bytes: maxBytes }: GateSettings): Gate {
  /** Connections that have not sent CONNECT, oldest first. */
  const arrivals = new Set<Admitted>();
  /** Number of connections that have not sent CONNECT, by address of the peer. */
  const byAddress = new Map<string, number>();
  /** Connections that the broker is closing, oldest first. */
  const closing = new Set<Admitted>();
  let open = 0;
  let bytes = 0;

  /** Removes a connection from the set of connections that have not sent CONNECT. */
  const removeArrival = (connection: Admitted): void => {
    if (!arrivals.delete(connection)) return;
    bytes -= connection.bytes;
    const left = (byAddress.get(connection.address) ?? 1) - 1;
    if (left === 0) byAddress.delete(connection.address);
    else byAddress.set(connection.address, left);
  };

  /**
   * Returns the connection to close first. Selects the address with the most connections that have not sent
   * CONNECT, and returns the oldest such connection of this address. A client that sends CONNECT promptly is
   * seldom affected, because its connection is among the newest.
   */
  const evictionCandidate = (): Admitted | undefined => {
    let most = 0;
    let address: string | undefined;
    for (const [candidate, count] of byAddress) {
      if (count > most) [address, most] = [candidate, count];
    }
    for (const connection of arrivals) if (connection.address === address) return connection;
    return undefined;
  };

  /** Closes a connection that has not sent CONNECT. Returns false if all connections have sent CONNECT. */
  const evict = (reason: string): boolean => {
    const connection = evictionCandidate();
    if (connection === undefined) return false;
    log.warn(`Closed a connection from ${connection.address} that has not sent CONNECT: ${reason}.`);
    removeArrival(connection);
    connection.uncount();
    connection.socket.destroy();
    return true;
  };

  /**
   * Closes one connection to accept a new one: the oldest connection that the broker is already closing, or
   * else a connection that has not sent CONNECT. Returns false if no such connection exists.
   */
  const evictForNew = (): boolean => {
    for (const oldest of closing) {
      closing.delete(oldest);
      oldest.uncount();
      oldest.socket.destroy();
      return true;
    }
    return evict(`the maximum of ${capacity()} connections is reached`);
  };

  /** Closes connections that have not sent CONNECT until their memory is within its maximum. */
  const evictForMemory = (): void => {
    while (bytes > maxBytes) {
      if (!evict(`such connections use ${bytes} bytes of memory, the maximum is ${maxBytes}`)) return;
    }
  };

  return {
    admit: (socket, cost) => {
      const { address } = peerOf(socket);
      // A new client must be accepted even if peers that send nothing use all connections.
      if (open >= capacity() && !evictForNew()) {
        log.warn(
          `Refused a connection from ${address}: the maximum of ${capacity()} connections is reached.`,
        );
        socket.destroy();
        return undefined;
      }
      open++;
      let counted = true;
      const uncount = (): void => {
        if (counted) open--;
        counted = false;
      };
      const connection: Admitted = { socket, address, bytes: cost, uncount };
      arrivals.add(connection);
      byAddress.set(address, (byAddress.get(address) ?? 0) + 1);
      bytes += cost;
      const cancel = clock.after(CONNECT_TIMEOUT_MS, () => {
        log.info(
          `Closed a connection from ${address}: it sent no CONNECT within ${CONNECT_TIMEOUT_MS / 1000} s.`,
        );
        socket.destroy();
      });
      socket.once('close', () => {
        uncount();
        cancel();
        removeArrival(connection);
        closing.delete(connection);
      });
      evictForMemory();
      if (!arrivals.has(connection)) return undefined;
      return {
        connectReceived: () => {
          cancel();
          removeArrival(connection);
        },
        closing: () => {
          removeArrival(connection);
          if (!socket.destroyed) closing.add(connection);
        },
        setBuffered: buffered => {
          if (!arrivals.has(connection)) return;
          bytes += cost + buffered - connection.bytes;
          connection.bytes = cost + buffered;
          evictForMemory();
        },
      };
    },
    open: () => open,
    arriving: () => arrivals.size,
  };
}
