import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Chance } from './chance.ts';
import { createChance } from './chance.ts';
import type { Faults } from './judge.ts';
import { createJudge } from './judge.ts';
import { linesIn } from './report.ts';

/** Folder of the store under load, and the failure that interrupts it. */
export type Site = {
  /** A folder for a new store; all that was there is gone. */
  readonly fresh: () => Promise<string>;
  /** Ends the process for good, and whatever else is to end; after it the store can be opened again. */
  readonly strike: (child: ChildProcess, chance: Chance) => Promise<void>;
};

export type Campaign = {
  readonly site: Site;
  readonly strikes: number;
  readonly seed: number;
  /** A folder for the reports, out of harm's way. */
  readonly reports: string;
  /** Strikes on one store at most, before it is emptied and a new one takes its place. */
  readonly most: number;
  /** Milliseconds of load before a strike, at most. */
  readonly load: number;
};

export type Result = Faults & { readonly promised: number; readonly checkpoints: number };

/** Numbers that one process gives at most. */
const NUMBERS = 1_000_000;

/** Milliseconds after the start of a process that is struck while it opens the store, at most. */
const OPENING = 250;

/** Strikes stores under load again and again, and judges what is left of them. */
export async function wage(campaign: Campaign): Promise<Result> {
  const { strikes, seed, most } = campaign;
  const chance = createChance(seed);
  const result: Result = { lost: [], cameBack: [], outOfOrder: [], leaks: [], promised: 0, checkpoints: 0 };
  let left = strikes;
  let sum = { promised: 0, checkpoints: 0 };
  while (left > 0) {
    const count = Math.min(left, 1 + chance.below(most));
    const one = await strikeStore(campaign, count, chance);
    for (const kind of ['lost', 'cameBack', 'outOfOrder', 'leaks'] as const) {
      for (const fault of one.faults[kind]) result[kind].push(`${fault} (strikes ${strikes - left + 1} on)`);
    }
    sum = { promised: sum.promised + one.promised(), checkpoints: sum.checkpoints + one.checkpoints() };
    left -= count;
  }
  return { ...result, ...sum };
}

/** A process with a store, and what it says on its standard error: nothing but for a reason. */
type Running = { readonly child: ChildProcess; readonly complaints: Promise<string> };

async function strikeStore({ site, reports, load }: Campaign, count: number, chance: Chance) {
  const folder = await site.fresh();
  const judge = createJudge();
  for (let strike = 0; strike < count; strike++) {
    const file = join(reports, String(strike));
    const first = (strike + 1) * NUMBERS;
    const early = chance.percent(20);
    const running = begin(folder, file, chance.below(NUMBERS), first, 'load');
    await untilStrike(running, early, chance.below(early ? OPENING : load));
    await site.strike(running.child, chance);
    judge.hear(linesIn(file), first);
  }
  const file = join(reports, 'finish');
  const last = begin(folder, file, 0, (count + 1) * NUMBERS, 'finish');
  const [code] = await once(last.child, 'close');
  judge.hear(linesIn(file), (count + 1) * NUMBERS);
  if (code !== 0) judge.faults.lost.push(`the store could not be emptied: ${await last.complaints}`);
  return judge;
}

function begin(folder: string, file: string, seed: number, first: number, task: 'load' | 'finish'): Running {
  const program = join(import.meta.dirname, 'child.ts');
  // A process may be struck before it makes the file, or find that of another store there.
  writeFileSync(file, '');
  const child = spawn(process.execPath, [program, folder, file, String(seed), String(first), task]);
  return { child, complaints: text(child.stderr) };
}

/** `time` (ms) into its load, or so `early` that the store may still be replaying its journals. */
async function untilStrike({ child, complaints }: Running, early: boolean, time: number): Promise<void> {
  const ended = once(child, 'close').then(async ([code, signal]) => {
    throw new Error(`the process under load ended by itself (${code ?? signal}): ${await complaints}`);
  });
  if (!early) await Promise.race([once(child.stdout ?? child, 'data'), ended]);
  await Promise.race([delay(time), ended]);
}

/** Summary line of a campaign. */
export function verdict(strikes: string, { promised, lost, cameBack, outOfOrder, leaks }: Result): string {
  const counts = [
    `${promised} promised`,
    `${lost.length} lost`,
    `${cameBack.length} came back`,
    `${outOfOrder.length} out of order`,
    `${leaks.length} leaks`,
  ];
  return `${strikes}: ${counts.join(', ')}`;
}

export function faultsOf({ lost, cameBack, outOfOrder, leaks }: Faults): string[] {
  return [...lost, ...cameBack, ...outOfOrder, ...leaks];
}
