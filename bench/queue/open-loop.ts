import { readFileSync } from 'node:fs';
import { COMMIT_WINDOW_MS, UPSTREAM_WINDOW } from '../../src/manifest/limits.ts';
import { tell } from './child.ts';
import { writtenToDevice } from './folder.ts';
import { PAYLOAD } from './messages.ts';
import { openFile, openSqlite } from './stores/peers.ts';
import type { Skerry } from './stores/skerry.ts';
import { openSkerry, QUEUE } from './stores/skerry.ts';

/*
 * open-loop.ts <subject> <folder> <messages a second> <min seconds> <max seconds>
 *
 * Appends at a constant rate that does not depend on the latency, and does nothing else, so that the messages
 * cause all writes. The measurement of a store begins after one checkpoint and ends after the next checkpoint
 * if this checkpoint happens between the minimum and maximum time. Otherwise it ends after the maximum time.
 */

/** Milliseconds after which the connected receiver acknowledges a message. */
const RECEIVER_DELAY = 20;

/**
 * Number of messages that a peer appends before the measurement. The store has at most this number in flight
 * until its first checkpoint.
 */
const WARM_UP = 100;

type Subject = {
  readonly warmUp: () => void | Promise<void>;
  readonly append: (durable: () => void) => void;
  readonly checkpoints: () => number;
  /** Returns the bytes that the subject itself has counted. NaN if it does not count. */
  readonly counted: () => number;
  readonly close: () => void | Promise<void>;
};

/** Starts a receiver that acknowledges with the delay of a network. */
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
    append: durable => {
      peer.append(1);
      durable();
    },
    checkpoints: () => 0,
    counted: () => Number.NaN,
    close: peer.close,
  };
}

/**
 * Appends `rate` messages a second until `enough` returns true. Resolves to the number of messages once all
 * are durable.
 */
function appendSteadily(
  subject: Subject,
  rate: number,
  enough: (seconds: number) => boolean,
): Promise<number> {
  return new Promise(resolve => {
    const started = performance.now();
    let sent = 0;
    let durable = 0;
    const timer = setInterval(() => {
      const seconds = (performance.now() - started) / 1000;
      if (!enough(seconds)) {
        for (; sent < seconds * rate; sent++) subject.append(() => durable++);
      } else if (durable === sent) {
        clearInterval(timer);
        resolve(sent);
      }
    }, 1);
  });
}

/** Returns the bytes that this process has caused to be written to disk (proc(5), /proc/pid/io). */
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
