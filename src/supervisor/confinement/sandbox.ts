import { dirname } from 'node:path';
import { SANDBOX_TMP_BYTES } from '../limits.ts';
import type { Account } from './users.ts';
import { toolPath } from './wrapper-probe.ts';
import { IGNORE_SIGNALS, PRIVATE_MOUNTS } from './wrapper-scripts.ts';

/** Sandbox level of a module. */
export type SandboxLevel = 'none' | 'standard' | 'strict';

/** Settings of a sandbox. */
export type SandboxSettings = {
  /** True if the hub runs as root. */
  readonly privileged: boolean;
  /** Private folder of the module, which is writable in the sandbox. */
  readonly own: string;
  /** Folders that are hidden from the module: the hub's data, and the secrets of all modules. */
  readonly hidden: readonly string[];
  /** Folders within the hidden folders that are visible and read-only. */
  readonly visible: readonly string[];
  /** True if the module runs in a network namespace of its own, without external interfaces. */
  readonly offline: boolean;
  readonly cwd: string;
  readonly devices: readonly string[];
};

/**
 * Signals whose default action is restored before the program starts. The script IGNORE_SIGNALS ignores these
 * signals in the wrapper.
 */
const SIGNALS = 'HUP,INT,QUIT,TERM,USR1,USR2';

/**
 * Returns the `unshare` command that creates a mount namespace with a private /tmp and a read-only root. Used
 * for the level `standard`, and for `strict` if bubblewrap is not available.
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

/**
 * Returns the bubblewrap command. It creates a private /tmp and a read-only root like `privateMounts`. In
 * addition, it creates a new /dev and separate pid, IPC and UTS namespaces.
 */
export function bubblewrap({ own, hidden, visible, offline, cwd, devices }: SandboxSettings): string[] {
  const hiddenMounts = hidden.flatMap(folder => ['--perms', '0755', '--size', '65536', '--tmpfs', folder]);
  const readOnly = hidden.flatMap(folder => ['--remount-ro', folder]);
  const temporary = ['--perms', '1777', '--size', String(SANDBOX_TMP_BYTES), '--tmpfs'];
  const visibleBinds = visible.flatMap(folder => [
    ...['--perms', '0755', '--dir', dirname(folder)],
    ...['--ro-bind', folder, folder],
  ]);
  const deviceBinds = devices.flatMap(device => ['--dev-bind-try', device, device]);
  return [
    ...[toolPath('sh'), '-c', IGNORE_SIGNALS, 'skerry', toolPath('bwrap'), '--die-with-parent'],
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(offline ? ['--unshare-net'] : []),
    ...['--ro-bind', '/', '/', '--dev', '/dev', ...deviceBinds, '--proc', '/proc'],
    ...[...temporary, '/tmp', ...temporary, '/dev/shm', ...hiddenMounts],
    ...['--perms', '0755', '--dir', dirname(own), '--bind', own, own, ...visibleBinds, ...readOnly],
    ...['--chdir', cwd, '--', toolPath('env'), `--default-signal=${SIGNALS}`],
  ];
}

/** Returns the `setpriv` options that change user and groups. */
export function switchUser({ uid, gid, groups }: Account): string[] {
  const further = groups.length > 0 ? ['--groups', groups.join(',')] : ['--clear-groups'];
  return ['--reuid', String(uid), '--regid', String(gid), ...further];
}

/**
 * Returns the `setpriv` options that drop all privileges. The bounding set is cleared only if the hub runs as
 * root, because other users have no permission to clear it.
 */
export function dropPrivileges(privileged: boolean): string[] {
  const bounding = privileged ? ['--bounding-set', '-all'] : [];
  return ['--no-new-privs', ...bounding, '--inh-caps', '-all', '--ambient-caps', '-all'];
}
