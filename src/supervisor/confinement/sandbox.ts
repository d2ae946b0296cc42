import { dirname } from 'node:path';
import { SANDBOX_TMP_BYTES } from '../../core/limits.ts';
import type { Account } from './users.ts';
import { tool } from './wrapper-probe.ts';
import { PRIVATE_MOUNTS, STAND_BY } from './wrapper-scripts.ts';

/** What a module is kept from. */
export type SandboxLevel = 'none' | 'standard' | 'strict';

/** What the command lines of a sandbox are made from. */
export type Surroundings = {
  /** The hub is root. */
  readonly privileged: boolean;
  /** The module's own folder, which it may write. */
  readonly own: string;
  /** Folders that it may not see: those with the hub's data and all secrets. */
  readonly hidden: readonly string[];
  /** Folders within them that are seen, read-only. */
  readonly shown: readonly string[];
  /** It has a network of its own, without a way out. */
  readonly offline: boolean;
  readonly cwd: string;
  readonly devices: readonly string[];
};

const SIGNALS = 'HUP,INT,QUIT,TERM,USR1,USR2';

/** Mounts of its own: what `standard` and `strict` begin with, if the latter cannot be had. */
export function privateMounts({ privileged, own, hidden, shown, offline }: Surroundings): string[] {
  const namespaces = [
    ...(privileged ? [] : ['--user', '--map-current-user', '--keep-caps']),
    ...(offline ? ['--net'] : []),
    ...['--mount', '--propagation', 'private'],
  ];
  const settings = [own, String(SANDBOX_TMP_BYTES), offline ? 'none' : 'host'];
  const script = [tool('sh'), '-c', PRIVATE_MOUNTS, 'skerry', ...settings, ...hidden, '--', ...shown, '--'];
  return [tool('unshare'), ...namespaces, '--', ...script];
}

/** Sees no process, device, shared memory or host name but its own, either. */
export function bubble({ own, hidden, shown, offline, cwd, devices }: Surroundings): string[] {
  const empty = hidden.flatMap(folder => ['--perms', '0755', '--size', '65536', '--tmpfs', folder]);
  const closed = hidden.flatMap(folder => ['--remount-ro', folder]);
  const temporary = ['--perms', '1777', '--size', String(SANDBOX_TMP_BYTES), '--tmpfs'];
  const seen = shown.flatMap(folder => [
    ...['--perms', '0755', '--dir', dirname(folder)],
    ...['--ro-bind', folder, folder],
  ]);
  const granted = devices.flatMap(device => ['--dev-bind-try', device, device]);
  return [
    ...[tool('sh'), '-c', STAND_BY, 'skerry', tool('bwrap'), '--die-with-parent'],
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(offline ? ['--unshare-net'] : []),
    ...['--ro-bind', '/', '/', '--dev', '/dev', ...granted, '--proc', '/proc'],
    ...[...temporary, '/tmp', ...temporary, '/dev/shm', ...empty],
    ...['--perms', '0755', '--dir', dirname(own), '--bind', own, own, ...seen, ...closed],
    ...['--chdir', cwd, '--', tool('env'), `--default-signal=${SIGNALS}`],
  ];
}

/** Makes the process somebody else. */
export function becoming({ uid, gid, groups }: Account): string[] {
  const further = groups.length > 0 ? ['--groups', groups.join(',')] : ['--clear-groups'];
  return ['--reuid', String(uid), '--regid', String(gid), ...further];
}

/** Leaves it no privilege, and no way to any; only root has some to be taken from the bounding set. */
export function powerless(privileged: boolean): string[] {
  const bounding = privileged ? ['--bounding-set', '-all'] : [];
  return ['--no-new-privs', ...bounding, '--inh-caps', '-all', '--ambient-caps', '-all'];
}
