import { spawn } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { createChance } from '../queue-crash/chance.ts';
import { createDisk, MANNERS } from './disk.ts';
import { serveFile } from './fuse.ts';

/*
 * Process that serves the disk: FILE, the backing file of a block device, is served from memory. MEDIUM is
 * read at the start and written at the cut. The process sends `on` once it serves. The message `MANNER SEED
 * PATIENCE` cuts the power: the process waits at most PATIENCE milliseconds for an unflushed write, stops
 * answering, and sends the number of lost sectors. Then it waits to be killed.
 *   node server.ts MEDIUM FILE true|false (true if flushes work)
 */
const [medium = '', file = '', flushes] = process.argv.slice(2);
const image = readFileSync(medium);
const disk = createDisk(image, flushes === 'true');
const device = openSync('/dev/fuse', 'r+');
const options = 'fd=3,rootmode=100600,user_id=0,group_id=0';
const mount = spawn('mount', ['-i', '-t', 'fuse', '-o', options, 'disk', file], {
  stdio: ['ignore', 'inherit', 'inherit', device],
});
mount.once('exit', code => {
  if (code !== 0) throw new Error(`the disk cannot be mounted: ${code}`);
  const stop = serveFile(device, disk);
  process.send?.('on');
  process.once('message', asked => {
    const [wanted, seed, patience] = String(asked).split(' ');
    const manner = MANNERS.find(one => one === wanted) ?? 'all';
    const cut = (left: number): void => {
      if (disk.quiet() && left > 0) {
        setTimeout(cut, 1, left - 1);
        return;
      }
      stop();
      const loss = disk.cut(manner, createChance(Number(seed)));
      writeFileSync(medium, image);
      process.send?.(loss);
    };
    cut(Number(patience));
  });
});
