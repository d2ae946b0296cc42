import { statSync } from 'node:fs';
import type { ModuleSpec } from '../spec.ts';
import type { Account } from './users.ts';
import { hasPermission } from './users.ts';

/**
 * Returns the module's account, extended by the groups that have access to its devices. Also returns the
 * reason for each device that the module cannot use.
 */
export function devicesFor(
  { devices, sandbox }: ModuleSpec,
  account: Account | undefined,
): { readonly account: Account | undefined; readonly notEnforced: readonly string[] } {
  const groups = new Set(account?.groups);
  const notEnforced: string[] = [];
  for (const device of devices) {
    const stat = statSync(device, { throwIfNoEntry: false });
    if (stat === undefined) {
      notEnforced.push(`devices: no such device ${device}: connect the device and restart the module.`);
    } else if (account !== undefined && !hasPermission(device, account, 6)) {
      if ((stat.mode & 0o060) === 0o060 && stat.gid !== 0) groups.add(stat.gid);
      else
        notEnforced.push(
          `devices: only root may access ${device}: assign a group with a udev rule, as Raspberry Pi OS does.`,
        );
    }
  }
  if (sandbox === 'none' && account === undefined) return { account: account, notEnforced: [] };
  return { account: account && { ...account, groups: [...groups] }, notEnforced };
}
