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
 * Opens the store, runs one task and prints the memory in use. V8 has the flags of the binary.
 */

/** Milliseconds of rest before the memory is measured. */
const REST = 1_000;

/** Milliseconds between two checks if the marker file exists. */
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
    // The store removes this marker file after some seconds. A start with the marker file checks all pages of
    // the store, which would change the measurement. Therefore the crash waits until the file is removed.
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
