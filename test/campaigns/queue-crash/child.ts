import { systemClock } from '../../../src/cli/system.ts';
import { createResources, DEFAULT_BOUNDS } from '../../../src/core/capacity/resources.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { openStore } from '../../../src/queue/store.ts';
import { createChance } from './chance.ts';
import { finish } from './finish.ts';
import { takeInventory } from './inventory.ts';
import { putUnderLoad } from './load.ts';
import { reportInto } from './report.ts';

/*
 * Process that is killed. It opens the store in a folder, reports its content, prints `opened`, and puts the
 * store under load until its end. With the task `finish` it drains the store instead.
 *   node child.ts FOLDER REPORT SEED FIRST-NUMBER load|finish
 */

/** Factor by which time passes faster while only the store's maintenance runs. */
const HURRY = 20;

const hurriedClock: Clock = {
  monotonic: () => systemClock.monotonic() * HURRY,
  wall: systemClock.wall,
  after: (milliseconds, action) => systemClock.after(milliseconds / HURRY, action),
};

const [folder = '', file = '', seed, first, task] = process.argv.slice(2);
const report = reportInto(file);
const chance = createChance(Number(seed));
const clock = task === 'finish' ? hurriedClock : systemClock;
let opening = true;
// Keeps the process alive, which the timers do not, and ends it with its parent.
process.stdin.resume().once('end', () => process.exit());
const store = await openStore({
  maxPendingBytes: 4 << 20,
  countRead: () => {},
  folder,
  maxSize: 32 << 20,
  whenFull: 'reject',
  boundOf: () => undefined,
  ttl: undefined,
  commitWindow: chance.oneOf([0, 5, 50]),
  clock,
  resources: createResources(() => DEFAULT_BOUNDS),
  log: {
    info: () => {},
    warn: () => {},
    // Under load the disk fails when its power is cut. While the store is opened an error is a fault.
    error: text => opening && report('damaged', 'log', text),
  },
});
const depths = takeInventory(store, report);
opening = false;
process.stdout.write('opened\n');
if (task === 'finish') {
  await finish(store, folder, clock, report);
  process.stdin.destroy();
} else putUnderLoad(store, depths, Number(first), chance, report);
