import { Failure } from '../../core/errors.ts';
import {
  MAX_RETAINED,
  MAX_RETAINED_BYTES,
  MAX_RETAINED_TOPIC_BYTES,
  SWEEP_ENTRIES,
} from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';
import type { Message, Settle } from '../../core/message.ts';
import { decodeRecord } from '../disk/recall.ts';
import { bufferOf, decode, encode, encodeRecord } from '../disk/record.ts';
import type { RetainedMessages } from '../types.ts';

/*
 * A retained message is settled state under `retained/<topic>`:
 *
 *   CBOR [hub time at which it expires (ms) or null, record]
 *
 * Opening the store reads each of them once, to count it.
 */
const PREFIX = 'retained/';

export type RetainedHost = {
  /** Hub time in milliseconds. */
  readonly now: () => number;
  readonly names: (prefix: string) => string[];
  readonly get: (name: string) => Buffer | undefined;
  readonly put: (name: string, value: Buffer | undefined, settle: Settle) => void;
  /** Why the store has no room for as many bytes more; undefined: it has. */
  readonly refusal: (bytes: number) => Failure | undefined;
  /** One was refused for want of room. */
  readonly full: (reason: Failure) => void;
  readonly log: Log;
};

export type Retained = RetainedMessages & {
  /** Takes away what has expired, SWEEP_ENTRIES at most; true if there is more. */
  readonly step: () => boolean;
  /** True if any of them will expire: hub time matters to it. */
  readonly waiting: () => boolean;
};

/** What is known of a retained message without reading it: bytes of its record, hub time (ms) or Infinity. */
type Kept = { readonly bytes: number; readonly expires: number };

export function createRetained(host: RetainedHost): Retained {
  const { now, names, get, put, log } = host;
  const kept = new Map<string, Kept>();
  let bytes = 0;
  /** How many of them expire, and hub time before which none does. */
  let mortal = 0;
  let soonest = Number.POSITIVE_INFINITY;

  const uncount = (topic: string): void => {
    const one = kept.get(topic);
    if (one === undefined) return;
    kept.delete(topic);
    bytes -= one.bytes;
    if (one.expires < Number.POSITIVE_INFINITY) mortal--;
  };

  const count = (topic: string, one: Kept): void => {
    uncount(topic);
    kept.set(topic, one);
    bytes += one.bytes;
    if (one.expires < Number.POSITIVE_INFINITY) mortal++;
    soonest = Math.min(soonest, one.expires);
  };

  /** Takes away what cannot be read, so that it is said once. */
  const drop = (topic: string): void => {
    log.error(`The retained message of "${topic}" is damaged: it is left out.`);
    replace(topic, undefined, undefined, () => {});
  };

  /** Counts what the store has under a topic. */
  const look = (topic: string): void => {
    uncount(topic);
    const value = get(PREFIX + topic);
    if (value === undefined) return;
    const found = valueFrom(value);
    if (found === undefined) drop(topic);
    else count(topic, { bytes: found.record.length, expires: found.expires });
  };

  const replace = (topic: string, one: Kept | undefined, value: Buffer | undefined, settle: Settle): void => {
    if (one === undefined) uncount(topic);
    else count(topic, one);
    put(PREFIX + topic, value, error => {
      // Whatever came before it, or after, is what counts.
      if (error !== undefined) look(topic);
      settle(error);
    });
  };

  /** Why there is no room for a record in place of the one its topic has. */
  const refusal = (topic: string, more: number): Failure | undefined => {
    const before = kept.get(topic);
    if (before === undefined && kept.size >= MAX_RETAINED) return new Failure('store.full', TOO_MANY);
    if (bytes - (before?.bytes ?? 0) + more > MAX_RETAINED_BYTES) return new Failure('store.full', TOO_MUCH);
    return host.refusal(more - (before?.bytes ?? 0));
  };

  const keep = (message: Message, settle: Settle): void => {
    const { topic, ttl } = message;
    const record = encodeRecord({ ...message, retained: true });
    const reason = refusal(topic, record.length);
    if (reason !== undefined) {
      host.full(reason);
      settle(reason);
      return;
    }
    const expires = ttl === undefined ? Number.POSITIVE_INFINITY : now() + ttl;
    const value = encode([ttl === undefined ? null : expires, record]);
    replace(topic, { bytes: record.length, expires }, value, settle);
  };

  const isAlive = (topic: string): boolean => (kept.get(topic)?.expires ?? 0) > now();

  for (const name of names(PREFIX)) look(name.slice(PREFIX.length));

  return {
    set: (message, settle) => {
      const { topic, body } = message;
      if (Buffer.byteLength(topic) > MAX_RETAINED_TOPIC_BYTES) settle(new Failure('store.full', TOO_LONG));
      else if (body.length > 0) keep(message, settle);
      else replace(topic, undefined, undefined, settle);
    },
    get: topic => {
      if (!isAlive(topic)) return undefined;
      const value = get(PREFIX + topic);
      if (value === undefined) return undefined;
      const found = valueFrom(value);
      const message = found && decodeRecord(found.record);
      if (found === undefined || message?.topic !== topic) {
        drop(topic);
        return undefined;
      }
      const { expires } = found;
      return { message, remaining: expires === Number.POSITIVE_INFINITY ? undefined : expires - now() };
    },
    topics: prefix =>
      Array.from(kept.keys())
        .filter(topic => topic.startsWith(prefix) && isAlive(topic))
        .sort(),
    count: () => kept.size,
    bytes: () => bytes,
    waiting: () => mortal > 0,
    step: () => {
      const time = now();
      if (soonest > time) return false;
      let allowance = SWEEP_ENTRIES;
      let next = Number.POSITIVE_INFINITY;
      for (const [topic, { expires }] of kept) {
        if (expires > time) next = Math.min(next, expires);
        else if (allowance-- === 0) return true;
        else replace(topic, undefined, undefined, () => {});
      }
      soonest = next;
      return false;
    },
  };
}

/** Undefined if it is damaged; the record may be damaged still. */
function valueFrom(value: Buffer): { readonly expires: number; readonly record: Buffer } | undefined {
  const list = decode(value);
  if (!Array.isArray(list)) return undefined;
  const [expires, record]: unknown[] = list;
  if (!(record instanceof Uint8Array) || !(expires === null || typeof expires === 'number')) return undefined;
  return { expires: expires ?? Number.POSITIVE_INFINITY, record: bufferOf(record) };
}

const TOO_LONG = `The topic of a retained message may be ${MAX_RETAINED_TOPIC_BYTES} bytes long: publish on a shorter one, or without retain.`;
const TOO_MANY = `There are ${MAX_RETAINED} retained messages: take some away by empty ones on their topics.`;
const TOO_MUCH = `The retained messages take ${MAX_RETAINED_BYTES >> 20} MB: take some away by empty ones on their topics.`;
