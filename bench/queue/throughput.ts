import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { median, ratiosOf } from '../report.ts';
import { tell } from './child.ts';
import type { Peer } from './stores/peers.ts';
import { openFile, openSqlite } from './stores/peers.ts';
import type { Skerry } from './stores/skerry.ts';
import { openSkerry } from './stores/skerry.ts';

/*
 * throughput.ts <folder> <messages a commit> <rounds>
 *
 * In each round, each subject in turn appends for a fixed time and then drains the messages that it has
 * appended.
 */

/** Milliseconds that a subject appends in one round. */
const ROUND = 1_000;

/** `speed` in messages a second, and `batch` in messages per commit. */
type Pace = { readonly speed: number; readonly batch: number };

type Action = () => Promise<Pace>;

type Subject = { readonly appends: Action; readonly drains?: Action; readonly close: () => Promise<void> };

function pace(messages: number, started: number, commits: number): Pace {
  return { speed: (messages / (performance.now() - started)) * 1000, batch: messages / commits };
}

/**
 * Drains `count` messages. At most `inFlight` acknowledgements are not on disk yet, so that a crash would
 * redeliver at most this number.
 */
async function drainDurably(queue: Skerry, count: number, inFlight: number): Promise<void> {
  let [sent, durable] = [0, 0];
  await new Promise<void>(resolve => {
    const drain = queue.consume(inFlight, {
      take: () => {
        if (sent - durable === inFlight) return false;
        sent++;
        return true;
      },
      settled: () => {
        durable++;
        drain.wake();
        if (durable < count) return;
        drain.stop();
        resolve();
      },
    });
    drain.wake();
  });
}

/**
 * Creates the subject for skerry. The next batch is gathered while the previous one is written, and the store
 * commits all gathered messages.
 */
async function skerry(folder: string, batch: number): Promise<Subject> {
  const queue = await openSkerry(folder, 0);
  const { counts } = queue.store;
  let waiting = 0;
  return {
    appends: async () => {
      const [started, before] = [performance.now(), counts()];
      await queue.appendInBatches(batch, () => performance.now() - started < ROUND);
      waiting = counts().appended - before.appended;
      return pace(waiting, started, counts().commits - before.commits);
    },
    drains: async () => {
      const [started, before] = [performance.now(), counts()];
      await drainDurably(queue, waiting, batch);
      return pace(waiting, started, counts().commits - before.commits);
    },
    close: queue.close,
  };
}

function appendsOf({ append }: Pick<Peer, 'append'>, batch: number): Action {
  return async () => {
    const started = performance.now();
    let commits = 0;
    for (; performance.now() - started < ROUND; commits++) append(batch);
    return pace(commits * batch, started, commits);
  };
}

function sqlite(folder: string, batch: number): Subject {
  const peer = openSqlite(folder);
  return {
    appends: appendsOf(peer, batch),
    drains: async () => {
      const started = performance.now();
      let [messages, commits] = [0, 0];
      for (let count = peer.drain(batch); count > 0; count = peer.drain(batch)) {
        messages += count;
        commits++;
      }
      return pace(messages, started, commits);
    },
    close: async () => peer.close(),
  };
}

function file(folder: string, batch: number): Subject {
  const peer = openFile(folder);
  return { appends: appendsOf(peer, batch), close: async () => peer.close() };
}

async function openAll(folder: string, batch: number): Promise<Record<string, Subject>> {
  const createFolder = (name: string): string => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  return {
    skerry: await skerry(createFolder('skerry'), batch),
    sqlite: sqlite(createFolder('sqlite'), batch),
    file: file(createFolder('file'), batch),
  };
}

const [folder = '', batch, rounds] = process.argv.slice(2);
const subjects = await openAll(folder, Number(batch));

/**
 * Measured paces by subject and action, one pace for each round. The first round is a warm-up and is not
 * stored.
 */
const paces = new Map<string, Pace[]>();
for (let round = -1; round < Number(rounds); round++) {
  for (const [name, { appends, drains }] of Object.entries(subjects)) {
    for (const [action, run] of Object.entries({ appends, drains })) {
      const measured = await run?.();
      if (measured === undefined) continue;
      const earlier = paces.get(`${name}-${action}`) ?? [];
      paces.set(`${name}-${action}`, round < 0 ? earlier : [...earlier, measured]);
    }
  }
}
const speeds = (name: string): number[] => (paces.get(name) ?? []).map(({ speed }) => speed);
for (const [name, measured] of paces) {
  tell(name, median(speeds(name)));
  tell(`${name}-batch`, median(measured.map(({ batch }) => batch)));
}
tell('appends-to-sqlite', median(ratiosOf(speeds('skerry-appends'), speeds('sqlite-appends'))));
tell('appends-to-file', median(ratiosOf(speeds('skerry-appends'), speeds('file-appends'))));
tell('drains-to-sqlite', median(ratiosOf(speeds('skerry-drains'), speeds('sqlite-drains'))));
for (const { close } of Object.values(subjects)) await close();
