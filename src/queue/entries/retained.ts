import { Failure } from '../../core/errors.ts';
import { MAX_RETAINED, MAX_RETAINED_BYTES, MAX_RETAINED_TOPIC_BYTES } from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';
import type { Message, Settle } from '../../core/message.ts';
import { decodeRecord } from '../disk/recall.ts';
import { encodeRecord } from '../disk/record.ts';
import type { RetainedMessages } from '../types.ts';

/*
 * A retained message is settled state under `retained/<hub time of its end (ms) or never>-<bytes>/<topic>`: its name
 * tells what opening the store wants to know, so that none is read for it. Its value is its record.
 */
const PREFIX = 'retained/';
const NEVER = 'never';

export type RetainedHost = {
  /** Hub time in milliseconds. */
  readonly now: () => number;
  readonly names: (prefix: string) => string[];
  readonly get: (name: string) => Buffer | undefined;
  readonly put: (name: string, value: Buffer | undefined, settle: Settle) => void;
  readonly log: Log;
};

/** The retained messages, bounded by their number and bytes: one too many is refused. */
export type Retained = RetainedMessages & {
  /** Takes away what has expired. */
  readonly sweep: () => void;
};

type Kept = { readonly name: string; readonly bytes: number; readonly ends: number };

export function createRetained({ now, names, get, put, log }: RetainedHost): Retained {
  const kept = new Map<string, Kept>();
  let bytes = 0;
  let soonest = Number.POSITIVE_INFINITY;

  const note = (topic: string, one: Kept): void => {
    kept.set(topic, one);
    bytes += one.bytes;
    soonest = Math.min(soonest, one.ends);
  };

  for (const name of names(PREFIX)) {
    const [head = '', ...levels] = name.slice(PREFIX.length).split('/');
    const [ends, size] = head.split('-');
    note(levels.join('/'), {
      name,
      bytes: Number(size),
      ends: ends === NEVER ? Number.POSITIVE_INFINITY : Number(ends),
    });
  }

  const forget = (topic: string, settle: Settle): void => {
    const one = kept.get(topic);
    if (one === undefined) {
      settle();
      return;
    }
    kept.delete(topic);
    bytes -= one.bytes;
    put(one.name, undefined, settle);
  };

  const alive = (topic: string): Kept | undefined => {
    const one = kept.get(topic);
    return one !== undefined && one.ends > now() ? one : undefined;
  };

  const keep = (message: Message, settle: Settle): void => {
    const { topic, ttl } = message;
    const record = encodeRecord({ ...message, retained: true });
    const older = kept.get(topic);
    const refusal = refusalOf(
      topic,
      kept.size + (older === undefined ? 1 : 0),
      bytes - (older?.bytes ?? 0) + record.length,
    );
    if (refusal !== undefined) {
      settle(refusal);
      return;
    }
    const ends = ttl === undefined ? Number.POSITIVE_INFINITY : Math.round(now() + ttl);
    const name = `${PREFIX}${ttl === undefined ? NEVER : ends}-${record.length}/${topic}`;
    if (older !== undefined && older.name !== name) forget(topic, () => {});
    else if (older !== undefined) bytes -= older.bytes;
    note(topic, { name, bytes: record.length, ends });
    put(name, record, settle);
  };

  return {
    set: (message, settle) => {
      if (message.body.length === 0) forget(message.topic, settle);
      else keep(message, settle);
    },
    get: topic => {
      const one = alive(topic);
      const message = one && decodeRecord(get(one.name));
      if (one !== undefined && message === undefined) {
        log.error(`The retained message on "${topic}" is damaged, and is forgotten.`);
        forget(topic, () => {});
      }
      if (one === undefined || message === undefined) return undefined;
      return { message, remaining: one.ends === Number.POSITIVE_INFINITY ? undefined : one.ends - now() };
    },
    topics: prefix => {
      const found: string[] = [];
      for (const topic of kept.keys()) {
        if (topic.startsWith(prefix) && alive(topic) !== undefined) found.push(topic);
      }
      return found.toSorted();
    },
    count: () => kept.size,
    bytes: () => bytes,
    sweep: () => {
      if (soonest > now()) return;
      soonest = Number.POSITIVE_INFINITY;
      for (const [topic, { ends }] of kept) {
        if (ends <= now()) forget(topic, () => {});
        else soonest = Math.min(soonest, ends);
      }
    },
  };
}

function refusalOf(topic: string, count: number, bytes: number): Failure | undefined {
  if (Buffer.byteLength(topic) > MAX_RETAINED_TOPIC_BYTES) {
    const sentence = `The topic "${topic.slice(0, 64)}..." is too long for a retained message: it may have ${MAX_RETAINED_TOPIC_BYTES} bytes.`;
    return new Failure('store.full', sentence);
  }
  if (count <= MAX_RETAINED && bytes <= MAX_RETAINED_BYTES) return undefined;
  const sentence = `${MAX_RETAINED} retained messages, or ${MAX_RETAINED_BYTES >> 20} MB of them, are kept: clear some by an empty message on their topic.`;
  return new Failure('store.full', sentence);
}
