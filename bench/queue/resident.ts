import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { MAX_PENDING_PUBLISHES } from '../../src/broker/limits.ts';
import { COMMIT_WINDOW_MS, UPSTREAM_WINDOW } from '../../src/manifest/limits.ts';
import { tell, tellMemory } from './child.ts';
import type { Skerry } from './stores/skerry.ts';
import { openSkerry } from './stores/skerry.ts';

/*
 * resident.ts <task> <folder> <messages>
 *
 * A process with V8 set as in the binary that opens the store, does one task, and says what memory it holds.
 */

/** Milliseconds of rest before memory is looked at. */
const REST = 1_000;

/** Milliseconds between two looks at the folder. */
const POLL = 100;

function append(queue: Skerry, count: number): Promise<void> {
  let left = count;
  return queue.appendWhile(MAX_PENDING_PUBLISHES, () => left-- > 0);
}

function drain(queue: Skerry, count: number): Promise<void> {
  let left = count;
  return new Promise(resolve => {
    const acknowledged = (): void => {
      if (--left === 0) resolve();
    };
    queue.consume(UPSTREAM_WINDOW, { take: () => true, acknowledged }).wake();
  });
}

const TASKS: Record<string, (queue: Skerry, count: number) => Promise<void>> = {
  open: async () => {},
  append,
  drain,
  crash: async (queue, count) => {
    // A store that does not outlive its first seconds gives reason to look at all of its pages: another
    // question.
    while (existsSync(join(folder, 'suspect'))) await pause(POLL);
    await append(queue, count);
    process.kill(process.pid, 'SIGKILL');
  },
};

const [task = '', folder = '', count] = process.argv.slice(2);
const started = performance.now();
const queue = await openSkerry(folder, COMMIT_WINDOW_MS);
tell('open', performance.now() - started);
const begun = performance.now();
await TASKS[task]?.(queue, Number(count));
tell('speed', (Number(count) / (performance.now() - begun)) * 1000);
await pause(REST);
tellMemory();
await queue.close();
