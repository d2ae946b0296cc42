import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../../core/clock.ts';
import { reasonOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { runningProcess } from '../../core/proc.ts';
import { OWN_ADDRESSES_TTL_MS } from '../limits.ts';
import type { ModulePid } from './open-sockets.ts';
import { openSockets } from './open-sockets.ts';
import type { PeerCredentials, ReadCredentials } from './peer-credentials.ts';
import { loadCredentials } from './peer-credentials.ts';
import type { TcpEnds } from './tcp-table.ts';
import { findOwners } from './tcp-table.ts';

/**
 * Owner of the process at the other end of a connection. `modules`: the process belongs to one of these
 * modules. `other`: the process is on a remote machine, or belongs to no module. `unknown`: the process is on
 * this machine, but has exited or was not found.
 */
export type PeerOwner = { readonly modules: readonly string[] } | 'other' | 'unknown';

/** Lookup of the modules' processes by uid and pid. */
export type ModuleProcesses = {
  /**
   * Returns the modules that run as the user `uid`. Undefined if no module runs as this user, or if `uid` is
   * the hub's own user.
   */
  readonly byUser: (uid: number) => readonly string[] | undefined;
  /**
   * Returns the processes whose uid does not identify their module. These processes run as the hub's user, or
   * they can change their user.
   */
  readonly pidsToScan: () => Iterable<ModulePid>;
};

export type PeerFinderSettings = {
  readonly processes: ModuleProcesses;
  readonly clock: Clock;
  readonly log: Log;
  /** Loads the function that reads the credentials of a Unix socket's peer. */
  readonly load?: () => ReadCredentials;
};

/**
 * Finds the owner of the process at the other end of a connection. Calls `done` once, synchronously or
 * asynchronously.
 */
export type FindPeer = (socket: Socket, done: (owner: PeerOwner) => void) => void;

type PendingLookup = { readonly ends: TcpEnds; readonly done: (owner: PeerOwner) => void };

/**
 * Creates a peer finder. TCP lookups are batched: all connections that arrive during one lookup share the
 * next lookup. The cost of a lookup is nearly independent of the number of connections.
 */
export function createPeerFinder({
  processes,
  clock,
  log,
  load = loadCredentials,
}: PeerFinderSettings): FindPeer {
  const isOwn = ownAddresses(clock);
  let credentials: ReadCredentials | undefined;
  let waiting: PendingLookup[] = [];
  let running = false;

  /**
   * Returns the owners of the peers in a batch. Lists the modules' sockets first, and reads the TCP table
   * afterwards. If a socket is in the table but not in the list, the socket therefore belongs to none of the
   * listed processes.
   */
  const ownersOf = async (batch: readonly PendingLookup[]): Promise<PeerOwner[]> => {
    const moduleSockets = await openSockets(processes.pidsToScan());
    const rows = await findOwners(batch.map(({ ends }) => ends));
    return rows.map(row => {
      if (row === undefined || row.inode === 0) return 'unknown';
      const module = moduleSockets.get(row.inode);
      return module === undefined ? ownerOf(row.uid) : { modules: [module] };
    });
  };

  const ownerOf = (uid: number): PeerOwner => {
    const modules = processes.byUser(uid);
    return modules === undefined ? 'other' : { modules };
  };

  const run = async (): Promise<void> => {
    running = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const owners = await ownersOf(batch).catch((error: unknown) => {
        log.error(
          `Cannot find the processes of ${batch.length} clients on this machine: ${reasonOf(error)}.`,
        );
        return [];
      });
      for (const [index, { done }] of batch.entries()) report(done, owners[index] ?? 'unknown');
    }
    running = false;
  };

  const report = (done: (owner: PeerOwner) => void, owner: PeerOwner): void => {
    try {
      done(owner);
    } catch (error) {
      log.error(`Cannot accept a client after the lookup of its process: ${reasonOf(error)}.`);
    }
  };

  const byCredentials = (socket: Socket): PeerOwner => {
    let found: PeerCredentials | undefined;
    try {
      credentials ??= load();
      found = credentials(socket);
    } catch (error) {
      log.error(
        `Refused a connection on a Unix socket: the process of the client was not found (${reasonOf(error)}).`,
      );
    }
    if (found === undefined) return 'unknown';
    const { pid, uid } = found;
    for (const { module, pid: modulePid } of processes.pidsToScan())
      if (modulePid === pid) return { modules: [module] };
    const owner = ownerOf(uid);
    return owner === 'other' && runningProcess(pid) === undefined ? 'unknown' : owner;
  };

  return (socket, done) => {
    const { localAddress, localPort, remoteAddress, remotePort } = socket;
    if (localAddress === undefined || remoteAddress === undefined) return done(byCredentials(socket));
    if (localPort === undefined || remotePort === undefined) return done('unknown');
    if (!isOwn(remoteAddress)) return done('other');
    waiting.push({ ends: { localAddress, localPort, remoteAddress, remotePort }, done });
    if (!running) void run();
  };
}

/**
 * Returns a function that is true for the addresses of this machine. The function caches the addresses of the
 * network interfaces.
 */
function ownAddresses(clock: Clock): (address: string) => boolean {
  let ownAddressSet = new Set<string>();
  let readAt = Number.NEGATIVE_INFINITY;
  return text => {
    const address = text.replace(/^::ffff:(?=[\d.]+$)/i, '').replace(/%.*$/, '');
    if (address.startsWith('127.') || address === '::1') return true;
    if (clock.monotonic() - readAt > OWN_ADDRESSES_TTL_MS) {
      ownAddressSet = new Set(
        Object.values(networkInterfaces()).flatMap(all => all?.map(modulePid => modulePid.address) ?? []),
      );
      readAt = clock.monotonic();
    }
    return ownAddressSet.has(address);
  };
}
