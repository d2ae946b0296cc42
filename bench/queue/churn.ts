import { MAX_PENDING_PUBLISHES } from '../../src/broker/limits.ts';
import { COMMIT_WINDOW_MS, UPSTREAM_WINDOW } from '../../src/manifest/limits.ts';
import { tell } from './child.ts';
import { sizeOf } from './folder.ts';
import { openFile, openSqlite } from './stores/peers.ts';
import { openSkerry } from './stores/skerry.ts';

/*
 * churn.ts <subject> <folder> <messages>
 *
 * Sends messages through a queue whose depth stays between MIN_DEPTH and MAX_DEPTH until the last message is
 * appended. Prints the size of the folder.
 */

const MIN_DEPTH = 5_000;
const MAX_DEPTH = 10_000;

/** Messages per transaction of a peer. */
const BATCH = 1_000;

/** Messages between two measurements of the folder. */
const LOOK = 100_000;

/**
 * Returns a function that measures the folder. The function is called after each removal, with the number of
 * messages that were removed so far.
 */
function lookAt(folder: string): (removed: number) => void {
  let largest = 0;
  return removed => {
    if (removed % LOOK !== 0) return;
    const size = sizeOf(folder);
    largest = Math.max(largest, size);
    tell(`size-${removed}`, size);
    tell('largest', largest);
  };
}

async function throughSkerry(
  folder: string,
  messages: number,
  onRemoved: (removed: number) => void,
): Promise<void> {
  const queue = await openSkerry(folder, COMMIT_WINDOW_MS);
  let [sent, durable, taken, removed] = [0, 0, 0, 0];
  await new Promise<void>(resolve => {
    const fill = (): void => {
      while (sent < messages && sent - removed < MAX_DEPTH && sent - durable < MAX_PENDING_PUBLISHES) {
        sent++;
        queue.append(() => {
          durable++;
          drain.wake();
          fill();
        });
      }
    };
    const drain = queue.consume(UPSTREAM_WINDOW, {
      take: () => {
        if (durable - taken <= (durable < messages ? MIN_DEPTH : 0)) return false;
        taken++;
        return true;
      },
      acknowledged: () => {
        removed++;
        onRemoved(removed);
        if (removed === messages) resolve();
        fill();
      },
    });
    fill();
    drain.wake();
  });
  await queue.close();
}

function throughSqlite(folder: string, messages: number, onRemoved: (removed: number) => void): void {
  const peer = openSqlite(folder);
  let [sent, removed] = [0, 0];
  while (removed < messages) {
    for (; sent < messages && sent - removed < MAX_DEPTH; sent += BATCH) peer.append(BATCH);
    const least = sent < messages ? MIN_DEPTH : 0;
    while (sent - removed > least) {
      removed += peer.drain(BATCH);
      onRemoved(removed);
    }
  }
  peer.close();
}

/** Appends to a file. Nothing is removed from it. */
function throughFile(folder: string, messages: number, onRemoved: (removed: number) => void): void {
  const peer = openFile(folder);
  for (let sent = BATCH; sent <= messages; sent += BATCH) {
    peer.append(BATCH);
    onRemoved(sent);
  }
  peer.close();
}

const SUBJECTS = { skerry: throughSkerry, 'better-sqlite3': throughSqlite, 'bare file': throughFile };

const [name = '', folder = '', messages] = process.argv.slice(2);
const subject = Object.entries(SUBJECTS).find(([known]) => known === name)?.[1];
if (subject === undefined) throw new Error(`There is no subject "${name}".`);
const started = performance.now();
await subject(folder, Number(messages), lookAt(folder));
tell('speed', (Number(messages) / (performance.now() - started)) * 1000);
tell('closed', sizeOf(folder));
