import { dirname } from 'node:path';
import { SANDBOX_TMP_BYTES } from '../limits.ts';
import type { Account } from './users.ts';
import { toolPath } from './wrapper-probe.ts';
import { IGNORE_SIGNALS, PRIVATE_MOUNTS } from './wrapper-scripts.ts';

/** Sandbox level of a module. */
export type SandboxLevel = 'none' | 'standard' | 'strict';

/** Inputs of a sandbox command line. */
export type SandboxSettings = {
  /** Tells if the hub runs as root. */
  readonly privileged: boolean;
  /** Private folder of the module, which is writable. */
  readonly own: string;
  /** Hidden folders: the hub's data and all secrets. */
  readonly hidden: readonly string[];
  /** Folders within the hidden ones that stay visible, read-only. */
  readonly visible: readonly string[];
  /** Tells if the module gets its own network namespace without external interfaces. */
  readonly offline: boolean;
  readonly cwd: string;
  readonly devices: readonly string[];
};

const SIGNALS = 'HUP,INT,QUIT,TERM,USR1,USR2';

/**
 * Builds the `unshare` command of a mount namespace with private /tmp and read-only root. Used by `standard`,
 * and by `strict` if bubblewrap is unavailable.
 */
export function privateMounts({ privileged, own, hidden, visible, offline }: SandboxSettings): string[] {
  const namespaces = [
    ...(privileged ? [] : ['--user', '--map-current-user', '--keep-caps']),
    ...(offline ? ['--net'] : []),
    ...['--mount', '--propagation', 'private'],
  ];
  const settings = [own, String(SANDBOX_TMP_BYTES), offline ? 'none' : 'host'];
  const script = [
    toolPath('sh'),
    '-c',
    PRIVATE_MOUNTS,
    'skerry',
    ...settings,
    ...hidden,
    '--',
    ...visible,
    '--',
  ];
  return [toolPath('unshare'), ...namespaces, '--', ...script];
}

/** Builds the bubblewrap command: additionally separate pid, IPC, UTS and device namespaces. */
export function bubblewrap({ own, hidden, visible, offline, cwd, devices }: SandboxSettings): string[] {
  const empty = hidden.flatMap(folder => ['--perms', '0755', '--size', '65536', '--tmpfs', folder]);
  const closed = hidden.flatMap(folder => ['--remount-ro', folder]);
  const temporary = ['--perms', '1777', '--size', String(SANDBOX_TMP_BYTES), '--tmpfs'];
  const seen = visible.flatMap(folder => [
    ...['--perms', '0755', '--dir', dirname(folder)],
    ...['--ro-bind', folder, folder],
  ]);
  const granted = devices.flatMap(device => ['--dev-bind-try', device, device]);
  return [
    ...[toolPath('sh'), '-c', IGNORE_SIGNALS, 'skerry', toolPath('bwrap'), '--die-with-parent'],
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(offline ? ['--unshare-net'] : []),
    ...['--ro-bind', '/', '/', '--dev', '/dev', ...granted, '--proc', '/proc'],
    ...[...temporary, '/tmp', ...temporary, '/dev/shm', ...empty],
    ...['--perms', '0755', '--dir', dirname(own), '--bind', own, own, ...seen, ...closed],
    ...['--chdir', cwd, '--', toolPath('env'), `--default-signal=${SIGNALS}`],
  ];
}

/** Builds the `setpriv` options that change user and groups. */
export function switchUser({ uid, gid, groups }: Account): string[] {
  const further = groups.length > 0 ? ['--groups', groups.join(',')] : ['--clear-groups'];
  return ['--reuid', String(uid), '--regid', String(gid), ...further];
}

/** Builds the `setpriv` options that drop all privileges for good. Only root has a bounding set to clear. */
export function dropPrivileges(privileged: boolean): string[] {
  const bounding = privileged ? ['--bounding-set', '-all'] : [];
  return ['--no-new-privs', ...bounding, '--inh-caps', '-all', '--ambient-caps', '-all'];
}
