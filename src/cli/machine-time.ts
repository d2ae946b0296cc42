import { readFileSync, statSync } from 'node:fs';
import type { MachineTime } from '../hub/downtime.ts';

/**
 * File whose modification time systemd-timesyncd updates when NTP has set the clock. chrony and ntpd have no
 * such file.
 */
const SYNCHRONISED = '/run/systemd/timesync/synchronized';
const HARDWARE = '/sys/class/rtc/rtc0/since_epoch';

/** Reads the clocks of the machine, and the time of the last synchronisation by NTP. */
export function readMachineTime(): MachineTime {
  const seconds = Number(textOf('/proc/uptime')?.split(' ')[0]);
  const hardware = Number(textOf(HARDWARE) ?? Number.NaN);
  return {
    boot: textOf('/proc/sys/kernel/random/boot_id')?.trim() ?? '',
    uptime: seconds * 1000,
    wall: Date.now(),
    hardware: Number.isNaN(hardware) ? undefined : hardware * 1000,
    synchronised: statSync(SYNCHRONISED, { throwIfNoEntry: false })?.mtimeMs,
  };
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}
