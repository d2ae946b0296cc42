import { spawn } from 'node:child_process';
import { fetchKernel, makeInitialFiles } from './kernel.ts';

const MEMORY_MEBIBYTES = 256;

export type MachineSettings = {
  /** Folder for the kernel and the initial file system. */
  readonly folder: string;
  /** Path of the disk, an image of ext4. */
  readonly disk: string;
  /** Path of the first program on the disk. */
  readonly init: string;
  /** Further options of the kernel. */
  readonly kernelOptions: readonly string[];
  /** Further options of QEMU. */
  readonly options: readonly string[];
  /** Maximum milliseconds of the machine, whose emulated processor is slow. */
  readonly timeout: number;
};

/** Runs a virtual machine of 256 MB until it is switched off. Resolves to its output. */
export function runMachine(settings: MachineSettings): Promise<string> {
  const { folder, disk, init, kernelOptions, options, timeout } = settings;
  const kernel = fetchKernel(folder);
  const initial = makeInitialFiles(folder, kernel, initialScript(init));
  const child = spawn(
    'qemu-system-x86_64',
    [
      ...['-nodefaults', '-display', 'none', '-serial', 'stdio', ...options],
      // Emulation, because virtual machines seldom offer nested virtualization.
      ...['-accel', 'tcg,thread=multi', '-cpu', 'max'],
      ...['-m', `${MEMORY_MEBIBYTES}`, '-smp', '2', '-kernel', kernel.image, '-initrd', initial],
      ...['-append', ['console=ttyS0 quiet panic=-1', ...kernelOptions].join(' ')],
      ...['-drive', `file=${disk},if=virtio,format=raw`],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], timeout },
  );
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk.replaceAll('\r', '');
    process.stdout.write(chunk);
  });
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', () => done(text));
  });
}

/** Returns the script of the initial file system, which continues with `init` on the disk. */
function initialScript(init: string): string {
  return `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
LOAD
/bin/busybox mount -t ext4 /dev/vda /disk
exec /bin/busybox switch_root /disk ${init}
`;
}
