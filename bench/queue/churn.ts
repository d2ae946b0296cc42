import { MAX_PENDING_PUBLISHES } from '../../src/broker/limits.ts';
import { COMMIT_WINDOW_MS, UPSTREAM_WINDOW } from '../../src/manifest/limits.ts';
import { tell } from './child.ts';
import { sizeOf } from './folder.ts';
import { openFile, openSqlite } from './stores/peers.ts';
import { openSkerry } from './stores/skerry.ts';

/*
 * churn.ts <subject> <folder> <messages>
 *
 * A process that takes messages through a queue which holds LEAST to MOST of them while there are more to
 * come, and says what the folder takes.
 */

const LEAST = 5_000;
const MOST = 10_000;

/** Messages of a peer's transaction, and messages between two looks at the folder. */
const BATCH = 1_000;
const LOOK = 100_000;

/** Told of every message that has left, looks at the folder. */
function lookAt(folder: string): (gone: number) => void {
  let largest = 0;
  return gone => {
    if (gone % LOOK !== 0) return;
    const size = sizeOf(folder);
    largest = Math.max(largest, size);
    tell(`size-${gone}`, size);
    tell('largest', largest);
  };
}

async function throughSkerry(folder: string, messages: number, left: (gone: number) => void): Promise<void> {
  const queue = await openSkerry(folder, COMMIT_WINDOW_MS);
  let [sent, settled, taken, gone] = [0, 0, 0, 0];
  await new Promise<void>(resolve => {
    const fill = (): void => {
      while (sent < messages && sent - gone < MOST && sent - settled < MAX_PENDING_PUBLISHES) {
        sent++;
        queue.append(() => {
          settled++;
          drain.wake();
          fill();
        });
      }
    };
    const drain = queue.consume(UPSTREAM_WINDOW, {
      take: () => {
        if (settled - taken <= (settled < messages ? LEAST : 0)) return false;
        taken++;
        return true;
      },
      acknowledged: () => {
        gone++;
        left(gone);
        if (gone === messages) resolve();
        fill();
      },
    });
    fill();
    drain.wake();
  });
  await queue.close();
}

function throughSqlite(folder: string, messages: number, left: (gone: number) => void): void {
  const peer = openSqlite(folder);
  let [sent, gone] = [0, 0];
  while (gone < messages) {
    for (; sent < messages && sent - gone < MOST; sent += BATCH) peer.append(BATCH);
    const least = sent < messages ? LEAST : 0;
    while (sent - gone > least) {
      gone += peer.drain(BATCH);
      left(gone);
    }
  }
  peer.close();
}

/** A file that only grows lets nothing go. */
function throughFile(folder: string, messages: number, left: (gone: number) => void): void {
  const peer = openFile(folder);
  for (let sent = BATCH; sent <= messages; sent += BATCH) {
    peer.append(BATCH);
    left(sent);
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
