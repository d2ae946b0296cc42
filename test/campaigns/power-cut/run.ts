import { randomInt } from 'node:crypto';
import { faultsOf, verdict } from '../queue-crash/campaign.ts';
import { cutAgain } from './cut.ts';
import { missingHere } from './machine.ts';

/*
 * Cuts the power of a disk under a store under load, again and again, and judges what the store still holds.
 *   node test/campaigns/power-cut/run.ts [CUTS] [SEED]
 * The store lies on an ext4 (default options, 4 KB blocks) on a loop device, whose file is served through
 * FUSE by a process of ours. That process knows every write and every flush that the kernel sends to the
 * disk. At the cut it stops answering, and the machine starts again from what a disk with a volatile write
 * cache would have on its medium: all that was flushed, and of the rest nothing, or any of the writes (so in
 * any order), or any of their sectors of 512 bytes, or all but the newest and half of one. The page cache of
 * the old file system is gone.
 *
 * Proven: what the store promised needs nothing but writes that were flushed, in any order of the others,
 * with ext4's journal replayed. Not proven: what a disk does that lies about flushes, that damages sectors
 * next to those it writes, or that tears a sector; other file systems; other kernels.
 *
 * Two controls show that a loss would be seen. A file written and not flushed just before each cut must be
 * gone or short after it. And on a disk that only says that it flushes, the same judge must find promises
 * broken.
 */
/** Cuts of the control: some come before anything is promised. */
const LIES = 4;

const cuts = Number(process.argv[2] ?? 50);
const seed = Number(process.argv[3] ?? randomInt(1 << 30));
const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function run(): Promise<boolean> {
  print(`${cuts} power cuts, seed ${seed}`);
  const liar = (await cutAgain(LIES, seed, false)).result;
  print(`control: ${verdict('a disk that does not flush', liar)}`);
  const { result, control } = await cutAgain(cuts, seed, true);
  for (const fault of faultsOf(result)) print(fault);
  const { survived, amid, unflushed, lost } = control;
  print(`control: an unflushed file was gone or short after ${cuts - survived} of ${cuts} cuts`);
  print(`control: ${amid} cuts came amid ${unflushed} unflushed sectors, and took ${lost} of them`);
  print(`${result.checkpoints} checkpoints were made meanwhile`);
  print(verdict(`${cuts} power cuts`, result));
  const controlled = liar.lost.length > 0 && survived === 0 && lost > 0 && result.checkpoints > cuts / 2;
  if (!controlled) print('a control failed: this run proves nothing');
  return controlled && faultsOf(result).length === 0;
}

const missing = missingHere();
if (missing === undefined) process.exitCode = (await run()) ? 0 : 1;
else {
  print(`power cannot be cut here: ${missing} is missing`);
  process.exitCode = 1;
}
