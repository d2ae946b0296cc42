import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../../core/clock.ts';
import { reasonOf } from '../../core/errors.ts';
import { OWN_ADDRESSES_KEPT } from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';
import { runningProcess } from '../../core/proc.ts';
import type { ModulePid } from './open-sockets.ts';
import { socketsOf } from './open-sockets.ts';
import type { PeerCredentials, ReadCredentials } from './peer-credentials.ts';
import { loadCredentials } from './peer-credentials.ts';
import type { TcpEnds } from './tcp-table.ts';
import { findOwners } from './tcp-table.ts';

/**
 * Owner of the process at the other end of a connection: modules, of which it is one, or `other` for a process of no
 * module or of another machine. `unknown`: it is on this machine, but cannot be found or has ended.
 */
export type PeerOwner = { readonly modules: readonly string[] } | 'other' | 'unknown';

/** Processes of modules, by what the kernel tells of them. */
export type ModuleProcesses = {
  /** Modules that run as this user; undefined if no module does, or if the hub itself does. */
  readonly byUser: (uid: number) => readonly string[] | undefined;
  /** Processes that may run as other users than their modules have: a uid does not tell them. */
  readonly loose: () => Iterable<ModulePid>;
};

export type PeersSettings = {
  readonly processes: ModuleProcesses;
  readonly clock: Clock;
  readonly log: Log;
  readonly load?: () => ReadCredentials;
};

/** Calls `done` once with the owner, at once or later. */
export type FindPeer = (socket: Socket, done: (owner: PeerOwner) => void) => void;

type Waiting = { readonly ends: TcpEnds; readonly done: (owner: PeerOwner) => void };

/**
 * Finds the processes that connect to the hub. All TCP connections that come while one look is under way share the next,
 * so that a thousand at once cost what a few do.
 */
export function createPeers({ processes, clock, log, load = loadCredentials }: PeersSettings): FindPeer {
  const isOwn = ownAddresses(clock);
  let credentials: ReadCredentials | undefined;
  let waiting: Waiting[] = [];
  let looking = false;

  /** Sockets of modules first: one that is in the table later and not among these was never a module's. */
  const ownersOf = async (batch: readonly Waiting[]): Promise<PeerOwner[]> => {
    const held = await socketsOf(processes.loose());
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

  const look = async (): Promise<void> => {
    looking = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const owners = await ownersOf(batch).catch((error: unknown) => {
        log.error(`The processes of ${batch.length} clients cannot be found: ${reasonOf(error)}.`);
        return [];
      });
      for (const [index, { done }] of batch.entries()) tell(done, owners[index] ?? 'unknown');
    }
    looking = false;
  };

  const tell = (done: (owner: PeerOwner) => void, owner: PeerOwner): void => {
    try {
      done(owner);
    } catch (error) {
      log.error(`A client could not be let in: ${reasonOf(error)}.`);
    }
  };

  const byCredentials = (socket: Socket): PeerOwner => {
    let found: PeerCredentials | undefined;
    try {
      credentials ??= load();
      found = credentials(socket);
    } catch (error) {
      log.error(
        `A client of a Unix socket is refused, because its process cannot be found: ${reasonOf(error)}`,
      );
    }
    if (found === undefined) return 'unknown';
    const { pid, uid } = found;
    for (const { module, pid: one } of processes.loose()) if (one === pid) return { modules: [module] };
    const owner = ownerOf(uid);
    return owner === 'other' && runningProcess(pid) === undefined ? 'unknown' : owner;
  };

  return (socket, done) => {
    const { localAddress, localPort, remoteAddress, remotePort } = socket;
    if (localAddress === undefined || remoteAddress === undefined) return done(byCredentials(socket));
    if (localPort === undefined || remotePort === undefined) return done('unknown');
    if (!isOwn(remoteAddress)) return done('other');
    waiting.push({ ends: { localAddress, localPort, remoteAddress, remotePort }, done });
    if (!looking) void look();
  };
}

/** Tells addresses of this machine from others; those of its interfaces are read again after a while. */
function ownAddresses(clock: Clock): (address: string) => boolean {
  let known = new Set<string>();
  let readAt = Number.NEGATIVE_INFINITY;
  return text => {
    const address = text.replace(/^::ffff:(?=[\d.]+$)/i, '').replace(/%.*$/, '');
    if (address.startsWith('127.') || address === '::1') return true;
    if (clock.monotonic() - readAt > OWN_ADDRESSES_KEPT) {
      known = new Set(Object.values(networkInterfaces()).flatMap(all => all?.map(one => one.address) ?? []));
      readAt = clock.monotonic();
    }
    return known.has(address);
  };
}
