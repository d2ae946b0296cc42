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
 * Owner of the process at the other end of a connection: candidate modules, `other` for a local process of no
 * module or a remote machine, `unknown` for a local process that was not found or has exited.
 */
export type PeerOwner = { readonly modules: readonly string[] } | 'other' | 'unknown';

/** Lookup of module processes by kernel data. */
export type ModuleProcesses = {
  /** Modules that run as this user. Undefined if there is none or it is the hub's own user. */
  readonly byUser: (uid: number) => readonly string[] | undefined;
  /** Processes whose uid does not identify their module, because they may change their user. */
  readonly pidsToScan: () => Iterable<ModulePid>;
};

export type PeerFinderSettings = {
  readonly processes: ModuleProcesses;
  readonly clock: Clock;
  readonly log: Log;
  readonly load?: () => ReadCredentials;
};

/** Finds the owner of a connection's peer. Calls `done` once, synchronously or later. */
export type FindPeer = (socket: Socket, done: (owner: PeerOwner) => void) => void;

type PendingLookup = { readonly ends: TcpEnds; readonly done: (owner: PeerOwner) => void };

/**
 * Creates a peer finder. TCP lookups are batched: all connections that arrive during one lookup share the
 * next, so that a thousand cost as much as a few.
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
   * Lists the modules' sockets before the TCP table: a socket that is only in the later table never belonged
   * to a module.
   */
  const ownersOf = async (batch: readonly PendingLookup[]): Promise<PeerOwner[]> => {
    const held = await openSockets(processes.pidsToScan());
    const rows = await findOwners(batch.map(({ ends }) => ends));
    return rows.map(row => {
      if (row === undefined || row.inode === 0) return 'unknown';
      const module = held.get(row.inode);
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
        log.error(`Cannot run up the processes of ${batch.length} clients: ${reasonOf(error)}.`);
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
      log.error(`Cannot accept a client: ${reasonOf(error)}.`);
    }
  };

  const byCredentials = (socket: Socket): PeerOwner => {
    let found: PeerCredentials | undefined;
    try {
      credentials ??= load();
      found = credentials(socket);
    } catch (error) {
      log.error(`Connection on a Unix socket refused because its process was not found: ${reasonOf(error)}`);
    }
    if (found === undefined) return 'unknown';
    const { pid, uid } = found;
    for (const { module, pid: one } of processes.pidsToScan()) if (one === pid) return { modules: [module] };
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

/** Recognises addresses of this machine. Interface addresses are cached for OWN_ADDRESSES_TTL_MS. */
function ownAddresses(clock: Clock): (address: string) => boolean {
  let known = new Set<string>();
  let readAt = Number.NEGATIVE_INFINITY;
  return text => {
    const address = text.replace(/^::ffff:(?=[\d.]+$)/i, '').replace(/%.*$/, '');
    if (address.startsWith('127.') || address === '::1') return true;
    if (clock.monotonic() - readAt > OWN_ADDRESSES_TTL_MS) {
      known = new Set(Object.values(networkInterfaces()).flatMap(all => all?.map(one => one.address) ?? []));
      readAt = clock.monotonic();
    }
    return known.has(address);
  };
}
