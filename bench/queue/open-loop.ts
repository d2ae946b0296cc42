import { readFileSync } from 'node:fs';
import { COMMIT_WINDOW_MS, UPSTREAM_WINDOW } from '../../src/manifest/limits.ts';
import { tell } from './child.ts';
import { writtenToDevice } from './folder.ts';
import { PAYLOAD } from './messages.ts';
import { openFile, openSqlite } from './stores/peers.ts';
import type { Skerry } from './stores/skerry.ts';
import { openSkerry, QUEUE } from './stores/skerry.ts';

/*
 * open-loop.ts <subject> <folder> <messages a second> <seconds at least> <seconds at most>
 *
 * A process that appends at a steady rate, however long the answers take, and does nothing else, so that what
 * it writes is what the messages cost. It measures from a checkpoint of the store to another one, if that
 * comes between the least and the most seconds.
 */

/** Milliseconds after which the receiver that is online acknowledges. */
const RECEIVER_DELAY = 20;

/** Messages in flight, and messages of a peer, that are appended before the measurement. */
const WARM_UP = 100;

type Subject = {
  readonly warmUp: () => void | Promise<void>;
  readonly append: (settled: () => void) => void;
  readonly checkpoints: () => number;
  /** Bytes written by its own count; NaN: it has none. */
  readonly counted: () => number;
  readonly close: () => void | Promise<void>;
};

/** A receiver that is there all the time, a network away. */
function receive({ store }: Skerry): void {
  const drain = store.drain(QUEUE, {
    window: UPSTREAM_WINDOW,
    send: entry => {
      setTimeout(() => drain.acknowledge(entry), RECEIVER_DELAY);
      return true;
    },
  });
  drain.wake();
}

async function openStore(folder: string, withReceiver: boolean): Promise<Subject> {
  const queue = await openSkerry(folder, COMMIT_WINDOW_MS);
  const { counts } = queue.store;
  if (withReceiver) receive(queue);
  return {
    warmUp: () => queue.appendWhile(WARM_UP, () => !withReceiver && counts().checkpoints === 0),
    append: queue.append,
    checkpoints: () => counts().checkpoints,
    counted: () => counts().written,
    close: queue.close,
  };
}

function openPeer(name: string, folder: string): Subject {
  const peer = name === 'better-sqlite3' ? openSqlite(folder) : openFile(folder);
  return {
    warmUp: () => {
      for (let count = 0; count < WARM_UP; count++) peer.append(1);
    },
    append: settled => {
      peer.append(1);
      settled();
    },
    checkpoints: () => 0,
    counted: () => Number.NaN,
    close: peer.close,
  };
}

/**
 * Appends `rate` messages a second until `enough` says so; resolves with their number once all have settled.
 */
function appendSteadily(
  subject: Subject,
  rate: number,
  enough: (seconds: number) => boolean,
): Promise<number> {
  return new Promise(resolve => {
    const started = performance.now();
    let sent = 0;
    let settled = 0;
    const timer = setInterval(() => {
      const seconds = (performance.now() - started) / 1000;
      if (!enough(seconds)) {
        for (; sent < seconds * rate; sent++) subject.append(() => settled++);
      } else if (settled === sent) {
        clearInterval(timer);
        resolve(sent);
      }
    }, 1);
  });
}

/** Bytes that this process caused to be written to disks: proc(5), /proc/pid/io. */
function writtenByProcess(): number {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}

const [name = '', folder = '', rate, least, most] = process.argv.slice(2);
const subject = name.startsWith('skerry')
  ? await openStore(folder, name.endsWith('receiver'))
  : openPeer(name, folder);
await subject.warmUp();
const before = {
  process: writtenByProcess(),
  device: writtenToDevice(folder),
  counted: subject.counted(),
  checkpoints: subject.checkpoints(),
};
const messages = await appendSteadily(
  subject,
  Number(rate),
  seconds =>
    seconds > Number(most) || (seconds > Number(least) && subject.checkpoints() > before.checkpoints),
);
const payload = messages * PAYLOAD;
tell('messages', messages);
tell('checkpoints', subject.checkpoints() - before.checkpoints);
tell('process', (writtenByProcess() - before.process) / payload);
tell('device', ((writtenToDevice(folder) ?? Number.NaN) - (before.device ?? Number.NaN)) / payload);
tell('counted', (subject.counted() - before.counted) / payload);
await subject.close();
