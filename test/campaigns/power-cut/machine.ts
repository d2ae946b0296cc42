import type { ChildProcess } from 'node:child_process';
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CutLoss, Manner } from './disk.ts';

const DISK_BYTES = 64 << 20;

/** Options without lazy initialization, so that all writes come from the test. */
const MKFS = ['-q', '-F', '-b', '4096', '-E', 'lazy_itable_init=0,lazy_journal_init=0'];

/** Maximum milliseconds of a system command. */
const PATIENCE = 30_000;

/** A machine with one ext4 disk, which the process `server.ts` serves. */
export type Machine = {
  /** Mount point while the power is on. */
  readonly mount: string;
  /** Creates an empty file system while the power is off. */
  readonly format: () => void;
  readonly powerOn: () => Promise<void>;
  /** Cuts the power if it is on, and kills `process`, which uses the disk. */
  readonly powerOff: (cut: Cut, process?: ChildProcess) => Promise<CutLoss>;
};

/** Parameters of a power cut. */
export type Cut = {
  readonly manner: Manner;
  readonly seed: number;
  /** Maximum milliseconds to wait for an unflushed write. */
  readonly patience: number;
};

/** Power cut of an idle machine. */
export const PLAIN_CUT: Cut = { manner: 'all', seed: 0, patience: 0 };

/** Creates a machine with its files in `root`. If `flushes` is false, flushes of its disk do nothing. */
export function createMachine(root: string, flushes: boolean): Machine {
  const [mount, medium, file] = [join(root, 'mount'), join(root, 'medium'), join(root, 'disk')];
  let disk: ChildProcess | undefined;
  let device = '';
  mkdirSync(mount, { recursive: true });
  writeFileSync(file, '');

  return {
    mount,
    format: () => {
      rmSync(medium, { force: true });
      system('truncate', '-s', String(DISK_BYTES), medium);
      system('mkfs.ext4', ...MKFS, medium);
    },
    powerOn: async () => {
      disk = fork(join(import.meta.dirname, 'server.ts'), [medium, file, String(flushes)]);
      await answerOf(disk);
      device = system('losetup', '--find', '--show', file);
      system('mount', '-t', 'ext4', device, mount);
    },
    powerOff: async ({ manner, seed, patience }, process) => {
      const running = disk;
      if (running === undefined) return { unflushed: 0, lost: 0 };
      disk = undefined;
      running.send(`${manner} ${seed} ${patience}`);
      const loss = lossFrom(await answerOf(running));
      await end(running);
      if (process !== undefined) await end(process);
      system('umount', mount);
      system('losetup', '--detach', device);
      // The kernel may release the device, and with it the file, a moment later.
      system('umount', '--lazy', file);
      return loss;
    },
  };
}

/** Missing requirement for a machine. Undefined if all are met. */
export function missingHere(): string | undefined {
  if (process.getuid?.() !== 0) return 'root';
  const tools = ['losetup', 'mkfs.ext4', 'mount', 'umount', 'truncate'];
  const missing = tools.find(tool => spawnSync(tool, ['--version']).error !== undefined);
  if (missing !== undefined) return `the command ${missing} (packages e2fsprogs, mount)`;
  return ['/dev/fuse', '/dev/loop-control'].find(file => spawnSync('test', ['-c', file]).status !== 0);
}

/** Runs a system command. Returns its output. */
function system(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: PATIENCE });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr || `status ${status}`}`);
  return stdout.trim();
}

async function answerOf(disk: ChildProcess): Promise<unknown> {
  const ended = once(disk, 'exit').then(([code]) => {
    throw new Error(`the process that is the disk ended (${code})`);
  });
  const [answer] = await Promise.race([once(disk, 'message'), ended]);
  return answer;
}

async function end(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const exited = once(process, 'exit');
  process.kill('SIGKILL');
  await exited;
}

function lossFrom(answer: unknown): CutLoss {
  if (typeof answer !== 'object' || answer === null)
    throw new Error('the disk did not report the lost sectors');
  return { unflushed: Number(Reflect.get(answer, 'unflushed')), lost: Number(Reflect.get(answer, 'lost')) };
}
