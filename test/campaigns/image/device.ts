import { join } from 'node:path';
import { freePort } from '../../harness/binary.ts';
import type { Machine } from '../vm/machine.ts';
import { startMachine } from '../vm/machine.ts';
import type { Card } from './card.ts';

/** Milliseconds of one boot with the deployment of a pack, on an emulated processor. */
const BOOT_TIMEOUT = 600_000;

const POLL_MS = 200;

/** The device: an emulated machine for arm64 that boots from the card. */
export type Device = {
  /** Port of this machine that leads to the hub's MQTT listener. */
  readonly port: number;
  readonly boot: () => Machine;
  /** Resolves to the report that the machine prints after the start of the hub and the provisioning. */
  readonly report: (machine: Machine) => Promise<string>;
  /** Kills the machine, as a power cut does. */
  readonly cutPower: (machine: Machine) => Promise<void>;
  /** Boots, and cuts the power after the report. Resolves to the report. */
  readonly bootOnce: () => Promise<string>;
};

export async function createDevice(
  folder: string,
  system: string,
  { root, data, boot: bootPartition }: Card,
  memory: number,
): Promise<Device> {
  const port = await freePort();
  const boot = (): Machine =>
    startMachine({
      architecture: 'arm64',
      memory,
      processors: 1,
      folder,
      busybox: join(system, 'bin/busybox'),
      modules: ['virtio_net', 'vfat', 'nls_cp437', 'nls_ascii', 'zram'],
      disks: [root, data, bootPartition],
      mount: 'ro',
      init: '/sbin/init',
      kernelOptions: ['systemd.show_status=0'],
      options: ['-nic', `user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:${port}-:1883`],
      timeout: BOOT_TIMEOUT,
    });
  const report: Device['report'] = async ({ output, ended }) => {
    let hasEnded = false;
    void ended.then(() => {
      hasEnded = true;
    });
    while (!output().includes('REPORT ends') && !hasEnded)
      await new Promise(done => setTimeout(done, POLL_MS));
    return output().slice(output().indexOf('REPORT after'));
  };
  const cutPower: Device['cutPower'] = async ({ process: qemu, ended }) => {
    qemu.kill('SIGKILL');
    await ended;
  };
  return {
    port,
    boot,
    report,
    cutPower,
    bootOnce: async () => {
      const machine = boot();
      const text = await report(machine);
      await cutPower(machine);
      return text;
    },
  };
}
