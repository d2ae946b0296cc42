import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Chance } from './chance.ts';
import { createChance } from './chance.ts';
import type { Faults } from './checker.ts';
import { createChecker } from './checker.ts';
import { linesIn } from './report.ts';

/** Folder of the store under load, and the kind of failure. */
export type FailureSite = {
  /** Returns an empty folder for a new store. */
  readonly fresh: () => Promise<string>;
  /** Ends the process by the failure. Resolves when the store can be opened again. */
  readonly fail: (child: ChildProcess, chance: Chance) => Promise<void>;
};

export type Campaign = {
  readonly site: FailureSite;
  readonly failures: number;
  readonly seed: number;
  /** Folder of the reports, which the failure does not affect. */
  readonly reports: string;
  /** Maximum failures of one store before it is drained and replaced. */
  readonly most: number;
  /** Maximum milliseconds of load before a failure. */
  readonly load: number;
};

export type Result = Faults & { readonly promised: number; readonly checkpoints: number };

/** Maximum number of messages of one process. */
const NUMBERS = 1_000_000;

/** Maximum milliseconds after the start of a process that fails while it opens the store. */
const OPENING = 250;

/** Lets stores under load fail repeatedly, and checks their content. */
export async function runCampaign(campaign: Campaign): Promise<Result> {
  const { failures, seed, most } = campaign;
  const chance = createChance(seed);
  const result: Result = { lost: [], cameBack: [], outOfOrder: [], leaks: [], promised: 0, checkpoints: 0 };
  let left = failures;
  let sum = { promised: 0, checkpoints: 0 };
  while (left > 0) {
    const count = Math.min(left, 1 + chance.below(most));
    const one = await failStore(campaign, count, chance);
    for (const kind of ['lost', 'cameBack', 'outOfOrder', 'leaks'] as const) {
      for (const fault of one.faults[kind]) result[kind].push(`${fault} (strikes ${failures - left + 1} on)`);
    }
    sum = { promised: sum.promised + one.promised(), checkpoints: sum.checkpoints + one.checkpoints() };
    left -= count;
  }
  return { ...result, ...sum };
}

/** A process with a store, and its standard error, which is empty unless it fails. */
type Running = { readonly child: ChildProcess; readonly complaints: Promise<string> };

async function failStore({ site, reports, load }: Campaign, count: number, chance: Chance) {
  const folder = await site.fresh();
  const checker = createChecker();
  for (let fail = 0; fail < count; fail++) {
    const file = join(reports, String(fail));
    const first = (fail + 1) * NUMBERS;
    const early = chance.percent(20);
    const running = begin(folder, file, chance.below(NUMBERS), first, 'load');
    await untilFailure(running, early, chance.below(early ? OPENING : load));
    await site.fail(running.child, chance);
    checker.evaluate(linesIn(file), first);
  }
  const file = join(reports, 'finish');
  const last = begin(folder, file, 0, (count + 1) * NUMBERS, 'finish');
  const [code] = await once(last.child, 'close');
  checker.evaluate(linesIn(file), (count + 1) * NUMBERS);
  if (code !== 0) checker.faults.lost.push(`the store could not be emptied: ${await last.complaints}`);
  return checker;
}

function begin(folder: string, file: string, seed: number, first: number, task: 'load' | 'finish'): Running {
  const program = join(import.meta.dirname, 'child.ts');
  // The process may fail before it creates the file, and the file may be that of another store.
  writeFileSync(file, '');
  const child = spawn(process.execPath, [program, folder, file, String(seed), String(first), task]);
  return { child, complaints: text(child.stderr) };
}

/** Waits for `time` ms of load or, if `early`, after the start, when the store may replay its journals. */
async function untilFailure({ child, complaints }: Running, early: boolean, time: number): Promise<void> {
  const ended = once(child, 'close').then(async ([code, signal]) => {
    throw new Error(`the process under load ended by itself (${code ?? signal}): ${await complaints}`);
  });
  if (!early) await Promise.race([once(child.stdout ?? child, 'data'), ended]);
  await Promise.race([delay(time), ended]);
}

/** Summary line of a campaign. */
export function verdict(failures: string, { promised, lost, cameBack, outOfOrder, leaks }: Result): string {
  const counts = [
    `${promised} promised`,
    `${lost.length} lost`,
    `${cameBack.length} came back`,
    `${outOfOrder.length} out of order`,
    `${leaks.length} leaks`,
  ];
  return `${failures}: ${counts.join(', ')}`;
}

export function faultsOf({ lost, cameBack, outOfOrder, leaks }: Faults): string[] {
  return [...lost, ...cameBack, ...outOfOrder, ...leaks];
}
