import { statSync } from 'node:fs';
import type { ModuleSpec } from '../spec.ts';
import type { Account } from './users.ts';
import { mayPass } from './users.ts';

/** The module's account with the groups of the devices that it may use. */
export function devicesFor(
  { devices, sandbox }: ModuleSpec,
  who: Account | undefined,
): { readonly account: Account | undefined; readonly notEnforced: readonly string[] } {
  const groups = new Set(who?.groups);
  const notEnforced: string[] = [];
  for (const device of devices) {
    const stat = statSync(device, { throwIfNoEntry: false });
    if (stat === undefined) {
      notEnforced.push(`devices: ${device} is not there: plug it in and start the module again.`);
    } else if (who !== undefined && !mayPass(device, who, 6)) {
      if ((stat.mode & 0o060) === 0o060 && stat.gid !== 0) groups.add(stat.gid);
      else
        notEnforced.push(
          `devices: ${device} is for root alone: give it a group by a rule of udev, as Raspberry Pi OS does.`,
        );
    }
  }
  if (sandbox === 'none' && who === undefined) return { account: who, notEnforced: [] };
  return { account: who && { ...who, groups: [...groups] }, notEnforced };
}
