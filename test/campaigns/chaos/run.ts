import { killHub, killModules } from './chaos.ts';

/*
 * npm run chaos: kills processes of modules at random for a minute, and then the hub repeatedly.
 *
 *   node test/campaigns/chaos/run.ts [MODULES [SECONDS [KILLS OF THE HUB [SEED]]]]
 */
const [modules = 100, seconds = 60, hubKills = 50, seed = Date.now() % 1_000_000] = process.argv
  .slice(2)
  .map(Number);
process.stdout.write(`seed ${seed}\n`);

const { kills, left, before, after, code } = await killModules(modules, seconds * 1000, seed);
process.stdout.write(
  `${modules} modules, ${kills} kills in ${seconds} s: ${left} processes left, exit ${code}; ` +
    `open files ${before.files}, then ${after.files}; anonymous memory ${megabytes(before.anonymous)}, then ${megabytes(after.anonymous)}\n`,
);
const hub = await killHub(10, hubKills, seed);
process.stdout.write(
  `${hub.kills} kills of the hub: at most ${hub.copies} of a module, ${hub.left} processes left\n`,
);
if (left + hub.left > 0 || hub.copies > 1 || code !== 0 || after.files > before.files) process.exitCode = 1;

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
