import { randomInt } from 'node:crypto';
import { faultsOf, verdict } from '../queue-crash/campaign.ts';
import { cutAgain } from './cut.ts';
import { missingHere } from './machine.ts';

/*
 * Cuts the power of a disk under a store with load repeatedly, and checks the content of the store.
 *   node test/campaigns/power-cut/run.ts [CUTS] [SEED]
 * The store is on an ext4 file system (default options, 4 KB blocks) on a loop device, whose file a process
 * serves through FUSE. The process knows every write and every flush that the kernel sends to the disk. At a
 * cut it stops answering, and the machine starts again from the content that a disk with a volatile write
 * cache would have: all flushed writes, and of the unflushed ones none, a random subset, a random subset of
 * their sectors of 512 bytes, or all but the newest. The page cache of the old file system is lost.
 *
 * Proven: acknowledged data depend only on flushed writes, with ext4's journal replayed, in any order of the
 * unflushed writes. Not proven: disks that ignore flushes, that damage neighbouring sectors or that tear a
 * sector; other file systems; other kernels.
 *
 * Two controls show that a loss would be detected. An unflushed file that is written before each cut must be
 * missing or truncated after it. On a disk that ignores flushes the same check must find lost data.
 */
/** Number of cuts of the control. Some happen before data are acknowledged. */
const LIES = 4;

const cuts = Number(process.argv[2] ?? 50);
const seed = Number(process.argv[3] ?? randomInt(1 << 30));
const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function run(): Promise<boolean> {
  print(`${cuts} power cuts, seed ${seed}`);
  const withoutFlushes = (await cutAgain(LIES, seed, false)).result;
  print(`control: ${verdict('a disk that does not flush', withoutFlushes)}`);
  const { result, control } = await cutAgain(cuts, seed, true);
  for (const fault of faultsOf(result)) print(fault);
  const { survived, amid, unflushed, lost } = control;
  print(`control: an unflushed file was gone or short after ${cuts - survived} of ${cuts} cuts`);
  print(`control: ${amid} cuts came amid ${unflushed} unflushed sectors, and took ${lost} of them`);
  print(`${result.checkpoints} checkpoints were made meanwhile`);
  print(verdict(`${cuts} power cuts`, result));
  const controlled =
    withoutFlushes.lost.length > 0 && survived === 0 && lost > 0 && result.checkpoints > cuts / 2;
  if (!controlled) print('a control failed: this run proves nothing');
  return controlled && faultsOf(result).length === 0;
}

const missing = missingHere();
if (missing === undefined) process.exitCode = (await run()) ? 0 : 1;
else {
  print(`power cannot be cut here: ${missing} is missing`);
  process.exitCode = 1;
}
