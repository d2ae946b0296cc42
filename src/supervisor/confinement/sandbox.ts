import { dirname } from 'node:path';
import { SANDBOX_TMP_BYTES } from '../../core/limits.ts';
import { PRIVATE_MOUNTS, STAND_BY } from './scripts.ts';
import { tool } from './tools.ts';
import type { Account } from './users.ts';

/** What a module is kept from. */
export type SandboxLevel = 'none' | 'standard' | 'strict';

/** What the command lines of a sandbox are made from. */
export type Surroundings = {
  /** The hub is root. */
  readonly privileged: boolean;
  /** The module's own folder, which it may write. */
  readonly own: string;
  /** The hub's data folder, which it may not see. */
  readonly hidden: string;
  /** Folders within it that are seen, read-only. */
  readonly shown: readonly string[];
  readonly cwd: string;
  readonly devices: readonly string[];
};

const SIGNALS = 'HUP,INT,QUIT,TERM,USR1,USR2';

/** Mounts of its own: what `standard` and `strict` begin with, if the latter cannot be had. */
export function privateMounts({ privileged, own, hidden, shown }: Surroundings): string[] {
  const namespaces = privileged ? [] : ['--user', '--map-current-user', '--keep-caps'];
  const script = [tool('sh'), '-c', PRIVATE_MOUNTS, 'skerry', own, hidden, String(SANDBOX_TMP_BYTES)];
  const seen = [...shown, '--'];
  return [tool('unshare'), ...namespaces, '--mount', '--propagation', 'private', '--', ...script, ...seen];
}

/** Sees no process, device, shared memory or host name but its own, either. */
export function bubble({ own, hidden, shown, cwd, devices }: Surroundings): string[] {
  const seen = shown.flatMap(folder => [
    ...['--perms', '0755', '--dir', dirname(folder)],
    ...['--ro-bind', folder, folder],
  ]);
  const granted = devices.flatMap(device => ['--dev-bind-try', device, device]);
  return [
    ...[tool('sh'), '-c', STAND_BY, 'skerry', tool('bwrap'), '--die-with-parent'],
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...['--ro-bind', '/', '/', '--dev', '/dev', ...granted, '--proc', '/proc'],
    ...['--perms', '1777', '--size', String(SANDBOX_TMP_BYTES), '--tmpfs', '/tmp'],
    ...['--perms', '0755', '--size', '65536', '--tmpfs', hidden],
    ...['--perms', '0755', '--dir', dirname(own), '--bind', own, own, ...seen],
    ...['--remount-ro', hidden],
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
