import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import type { Architecture } from './kernel.ts';
import { fetchKernel, makeInitialFiles } from './kernel.ts';

export type MachineSettings = {
  readonly architecture: Architecture;
  /** Memory in mebibytes. */
  readonly memory: number;
  readonly processors: number;
  /** Folder for the kernel and the initial file system. */
  readonly folder: string;
  /** Static busybox of the architecture. Default: that of this machine. */
  readonly busybox?: string;
  /** Kernel modules that are needed besides those of the disks. */
  readonly modules?: readonly string[];
  /** Paths of the disks. The first is an image of ext4. */
  readonly disks: readonly string[];
  /** Mount options of the first disk. */
  readonly mount: 'rw' | 'ro';
  /** Path of the first program on the first disk. */
  readonly init: string;
  /** Further options of the kernel. */
  readonly kernelOptions: readonly string[];
  /** Further options of QEMU. */
  readonly options: readonly string[];
  /** True if its output is not printed. */
  readonly isSilent?: boolean;
  /** Maximum milliseconds of the machine, whose emulated processor is slow. */
  readonly timeout: number;
};

/** A running virtual machine. */
export type Machine = {
  readonly process: ChildProcess;
  /** Output of its console so far. */
  readonly output: () => string;
  /** Types a line on its console. */
  readonly type: (line: string) => void;
  /** Resolves to its output when it is switched off or killed. */
  readonly ended: Promise<string>;
};

/** QEMU's program, machine and processor, and the kernel's name of the console, by architecture. */
const EMULATORS = {
  x64: { program: 'qemu-system-x86_64', machine: ['-cpu', 'max'], console: 'ttyS0' },
  arm64: {
    program: 'qemu-system-aarch64',
    machine: ['-M', 'virt', '-cpu', 'cortex-a53'],
    console: 'ttyAMA0',
  },
} as const;

/** Kernel modules of the disks, by architecture. Debian's kernel for x64 has ext4 built in. */
const DISK_MODULES = {
  x64: ['virtio_pci', 'virtio_blk'],
  arm64: ['virtio_pci', 'virtio_blk', 'crc32c_generic', 'ext4'],
} as const;

/** Starts a virtual machine. */
export function startMachine(settings: MachineSettings): Machine {
  const { architecture, memory, processors, folder, modules = [], disks, mount } = settings;
  const kernel = fetchKernel(folder, architecture, [...DISK_MODULES[architecture], ...modules]);
  const initial = makeInitialFiles(folder, kernel, settings.busybox ?? hostBusybox(), settings.init, mount);
  const emulator = EMULATORS[architecture];
  const kernelOptions = [`console=${emulator.console}`, 'quiet', 'panic=-1', ...settings.kernelOptions];
  const child = spawn(
    emulator.program,
    [
      ...['-nodefaults', '-display', 'none', '-serial', 'stdio', ...settings.options],
      // Emulation, because virtual machines seldom offer nested virtualization.
      ...['-accel', 'tcg,thread=multi', ...emulator.machine],
      ...['-m', `${memory}`, '-smp', `${processors}`, '-kernel', kernel.image, '-initrd', initial],
      ...['-append', kernelOptions.join(' ')],
      ...disks.flatMap(disk => ['-drive', `file=${disk},if=virtio,format=raw`]),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'], timeout: settings.timeout },
  );
  // The machine can be killed while a line is typed.
  child.stdin.on('error', () => {});
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk.replaceAll('\r', '');
    if (settings.isSilent !== true) process.stdout.write(chunk);
  });
  const ended = new Promise<string>((done, fail) => {
    child.once('error', fail);
    child.once('close', () => done(text));
  });
  return { process: child, output: () => text, type: line => void child.stdin.write(`${line}\n`), ended };
}

function hostBusybox(): string {
  return execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
}
