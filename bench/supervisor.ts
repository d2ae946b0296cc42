import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, percentile, print, printTable } from './report.ts';
import { KEEPER_NAMES, keeperOf } from './supervisor/restarts.ts';
import { bareSpawn, supervised } from './supervisor/starts.ts';

/*
 * Measures the cost of supervision. All subjects are measured in turn, and the medians are printed.
 *
 * - The time from the call to the first line of a module, for all degrees of confinement. Compares with
 * child_process.spawn.
 * - The time from the end of a module to the first output of its next process. Compares with runit and
 * supervisord.
 * - The memory of the hub for each idle module.
 */
const STARTS = 100;
const RESTARTS = 15;

/**
 * Milliseconds that a module runs before it is killed. runit delays the restart of a module that ran for less
 * than a second.
 */
const LIFE = 1_300;

const IDLE_MODULES = 100;
const SETTLE = 3_000;

async function compareStarts(): Promise<number> {
  const subjects = [
    bareSpawn(),
    await supervised('skerry', {}),
    await supervised('skerry, limits', { limits: { memory: 64 << 20, pids: 64 } }),
    await supervised('skerry, standard sandbox', { sandbox: 'standard' }),
    await supervised('skerry, strict sandbox', { sandbox: 'strict' }),
  ];
  const took = subjects.map((): number[] => []);
  for (let round = 0; round < STARTS; round += 1) {
    for (const [index, subject] of subjects.entries()) took[index]?.push(await subject.start());
  }
  for (const subject of subjects) await subject.close();
  const [bare = Number.NaN, ...others] = took.map(median);
  print(`From the call to the first line of a module, ms, ${STARTS} starts of each in turn:\n`);
  const rows = subjects.map(({ name }, index) => {
    const values = took[index] ?? [];
    const ratio = median(values) / bare;
    return [name, ...[median(values), percentile(values, 0.9), ratio].map(value => value.toFixed(2))];
  });
  printTable(['', 'median', 'p90', 'ratio'], rows);
  return (others[0] ?? Number.NaN) / bare;
}

async function compareRestarts(): Promise<number[]> {
  const keepers = await Promise.all(KEEPER_NAMES.map(keeperOf));
  const took = keepers.map((): number[] => []);
  for (let round = 0; round < RESTARTS; round += 1) {
    await sleep(LIFE);
    for (const [index, keeper] of keepers.entries()) took[index]?.push(await keeper.crash());
  }
  for (const keeper of keepers) await keeper.close();
  const [own = Number.NaN, ...others] = took.map(median);
  print(`From SIGKILL to the first word of the next process, ms, ${RESTARTS} kills of each in turn:\n`);
  const rows = keepers.map(({ name }, index) => {
    const values = took[index] ?? [];
    return [name, ...[median(values), percentile(values, 0.9)].map(value => value.toFixed(1))];
  });
  printTable(['', 'median', 'p90'], rows);
  return others.map(other => own / other);
}

/** Returns the kilobytes of anonymous memory of a hub with `modules` idle modules. */
async function memoryWith(modules: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-idle-'));
  const names = Array.from({ length: modules }, (_, index) => [
    `m${index}`,
    { exec: ['sleep', '1000'], io: 'lines' },
  ]);
  const manifest = { name: 'idle', listeners: [{ mqtt: '127.0.0.1:0' }], modules: Object.fromEntries(names) };
  writeFileSync(join(folder, 'm.json'), JSON.stringify(manifest));
  const skerry = resolve(import.meta.dirname, '../dist/skerry');
  const hub = spawn(skerry, ['up', join(folder, 'm.json'), '--data', join(folder, 'data')], {
    stdio: 'ignore',
  });
  await sleep(SETTLE);
  const [, kilobytes] = /^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${hub.pid}/status`, 'utf8')) ?? [];
  const exited = new Promise(done => hub.once('exit', done));
  hub.kill('SIGTERM');
  await exited;
  rmSync(folder, { recursive: true, force: true });
  return Number(kilobytes);
}

const start = await compareStarts();
const restarts = await compareRestarts();
const idle: number[] = [];
const loaded: number[] = [];
for (let round = 0; round < 5; round += 1) {
  idle.push(await memoryWith(0));
  loaded.push(await memoryWith(IDLE_MODULES));
}
const each = (median(loaded) - median(idle)) / IDLE_MODULES;
print(
  `Anonymous memory of the hub: ${median(idle)} KB alone, ${median(loaded)} KB with ${IDLE_MODULES} modules.\n`,
);
const [runit = Number.NaN, supervisord = Number.NaN] = restarts;
print(`start, skerry : spawn            ${start.toFixed(2)}   (1.3)`);
print(`restart, skerry : runit          ${runit.toFixed(2)}   (under 1)`);
print(`restart, skerry : supervisord    ${supervisord.toFixed(3)}   (under 1)`);
print(`memory for each module, KB       ${each.toFixed(0)}   (150)`);
