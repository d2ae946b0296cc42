import type { Resources } from '../core/capacity/resources.ts';
import type { Holder } from '../core/capacity/shares.ts';
import { UNKNOWN_HOLDER } from '../core/capacity/shares.ts';
import { Failure } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Message, OnDurable } from '../core/message.ts';
import { MAX_RETAINED_TOPIC_BYTES, MAX_SWEEP_ENTRIES } from './limits.ts';
import { decodeRecord } from './record/record-decode.ts';
import { bufferOf, decode, encode, encodeRecord } from './record/record-encode.ts';
import type { RetainedMessages } from './types.ts';

/*
 * A retained message is metadata under `retained/<topic>`:
 *
 *   CBOR [hub time at which it expires (ms) or null, record, holder, hub time at which it was set (ms)]
 *
 * Opening the store reads each once to count it.
 */
const PREFIX = 'retained/';

export type RetainedHost = {
  /** Hub time in milliseconds. */
  readonly now: () => number;
  readonly names: (prefix: string) => string[];
  readonly get: (name: string) => Buffer | undefined;
  readonly put: (name: string, value: Buffer | undefined, onDurable: OnDurable) => void;
  /** Error if the store has no space for `bytes` more. Undefined if it has. */
  readonly refusal: (bytes: number) => Failure | undefined;
  /** Called when a message was refused because there is no space. */
  readonly full: (reason: Failure) => void;
  /** Shares of the holders: messages, and bytes of their records. */
  readonly resources: Pick<Resources, 'retained' | 'retainedBytes'>;
  readonly log: Log;
};

export type Retained = RetainedMessages & {
  /** Removes at most MAX_SWEEP_ENTRIES expired messages; true if there are more. */
  readonly step: () => boolean;
  /** True if any message expires, so that hub time must be persisted. */
  readonly hasExpiring: () => boolean;
};

/** Summary of a retained message, kept in memory. */
type Kept = {
  /** Bytes of the encoded message. */
  readonly bytes: number;
  /** Hub time in milliseconds; Infinity: never. */
  readonly expires: number;
  readonly holder: Holder;
  /** Hub time in milliseconds. Undefined if an older hub has stored it. */
  readonly since: number | undefined;
};

export function createRetained(host: RetainedHost): Retained {
  const { now, names, get, put, log } = host;
  const { retained: messages, retainedBytes } = host.resources;
  const kept = new Map<string, Kept>();
  /** Number of messages that expire, and hub time before which none does. */
  let expiringCount = 0;
  let nextExpiry = Number.POSITIVE_INFINITY;

  const uncount = (topic: string): void => {
    const one = kept.get(topic);
    if (one === undefined) return;
    kept.delete(topic);
    messages.add(one.holder, -1);
    retainedBytes.add(one.holder, -one.bytes);
    if (one.expires < Number.POSITIVE_INFINITY) expiringCount--;
  };

  const count = (topic: string, one: Kept): void => {
    uncount(topic);
    kept.set(topic, one);
    messages.add(one.holder, 1);
    retainedBytes.add(one.holder, one.bytes);
    if (one.expires < Number.POSITIVE_INFINITY) expiringCount++;
    nextExpiry = Math.min(nextExpiry, one.expires);
  };

  /** Deletes a damaged message, so that it is logged once. */
  const drop = (topic: string): void => {
    log.error(`The retained message of "${topic}" is damaged: it is left out.`);
    replace(topic, undefined, undefined, () => {});
  };

  /** Updates the counts from the stored value of a topic. */
  const reload = (topic: string): void => {
    uncount(topic);
    const value = get(PREFIX + topic);
    if (value === undefined) return;
    const found = valueFrom(value);
    if (found === undefined) drop(topic);
    else {
      const { record, expires, holder, since } = found;
      count(topic, { bytes: record.length, expires, holder, since });
    }
  };

  const replace = (
    topic: string,
    one: Kept | undefined,
    value: Buffer | undefined,
    onDurable: OnDurable,
  ): void => {
    if (one === undefined) uncount(topic);
    else count(topic, one);
    put(PREFIX + topic, value, error => {
      // An earlier or later value may be stored.
      if (error !== undefined) reload(topic);
      onDurable(error);
    });
  };

  /** Error if the holder's share does not allow the message. Undefined if it does. */
  const shareRefusal = (topic: string, holder: Holder, bytes: number): Failure | undefined => {
    const before = kept.get(topic);
    const sentence =
      before?.holder === holder
        ? growthRefusal(holder, bytes - before.bytes)
        : additionRefusal(topic, holder, bytes);
    if (sentence === undefined) return undefined;
    return new Failure('store.full', `A retained message was refused: ${sentence}.`);
  };

  /** A holder beyond its share may still replace a message by one that is not larger. */
  const growthRefusal = (holder: Holder, bytes: number): string | undefined =>
    bytes <= 0 ? undefined : retainedBytes.refusal(holder, bytes)?.logged;

  /** The space of another holder's message on this topic counts as free. */
  const additionRefusal = (topic: string, holder: Holder, bytes: number): string | undefined => {
    const before = kept.get(topic);
    uncount(topic);
    const sentence = (messages.refusal(holder, 1) ?? retainedBytes.refusal(holder, bytes))?.logged;
    if (before !== undefined) count(topic, before);
    return sentence;
  };

  const keep = (message: Message, holder: Holder, onDurable: OnDurable): void => {
    const { topic, ttl } = message;
    const record = encodeRecord({ ...message, retained: true });
    const refused = shareRefusal(topic, holder, record.length);
    if (refused !== undefined) {
      log.warn(refused.message);
      onDurable(refused);
      return;
    }
    const full = host.refusal(record.length - (kept.get(topic)?.bytes ?? 0));
    if (full !== undefined) {
      host.full(full);
      onDurable(full);
      return;
    }
    const since = now();
    const expires = ttl === undefined ? Number.POSITIVE_INFINITY : since + ttl;
    const value = encode([ttl === undefined ? null : expires, record, holder, since]);
    replace(topic, { bytes: record.length, expires, holder, since }, value, onDurable);
  };

  const isAlive = (topic: string): boolean => (kept.get(topic)?.expires ?? 0) > now();

  for (const name of names(PREFIX)) reload(name.slice(PREFIX.length));

  return {
    set: (message, holder, onDurable) => {
      const { topic, body } = message;
      if (Buffer.byteLength(topic) > MAX_RETAINED_TOPIC_BYTES) onDurable(new Failure('store.full', TOO_LONG));
      else if (body.length > 0) keep(message, holder, onDurable);
      else replace(topic, undefined, undefined, onDurable);
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
    clear: (topic, onDurable) => replace(topic, undefined, undefined, onDurable),
    list: () =>
      Array.from(kept, ([topic, { bytes, expires, holder, since }]) => ({
        topic,
        holder,
        bytes,
        age: since === undefined ? undefined : now() - since,
        remaining: expires === Number.POSITIVE_INFINITY ? undefined : expires - now(),
      })),
    count: () => kept.size,
    bytes: () => retainedBytes.report().held,
    hasExpiring: () => expiringCount > 0,
    step: () => {
      const time = now();
      if (nextExpiry > time) return false;
      let allowance = MAX_SWEEP_ENTRIES;
      let next = Number.POSITIVE_INFINITY;
      for (const [topic, { expires }] of kept) {
        if (expires > time) next = Math.min(next, expires);
        else if (allowance-- === 0) return true;
        else replace(topic, undefined, undefined, () => {});
      }
      nextExpiry = next;
      return false;
    },
  };
}

/** Undefined if the value is damaged. The record inside may still be damaged. */
function valueFrom(value: Buffer): (Omit<Kept, 'bytes'> & { readonly record: Buffer }) | undefined {
  const list = decode(value);
  if (!Array.isArray(list)) return undefined;
  const [expires, record, holder, since]: unknown[] = list;
  if (!(record instanceof Uint8Array) || !(expires === null || typeof expires === 'number')) return undefined;
  return {
    expires: expires ?? Number.POSITIVE_INFINITY,
    record: bufferOf(record),
    holder: typeof holder === 'string' ? holder : UNKNOWN_HOLDER,
    since: typeof since === 'number' ? since : undefined,
  };
}

const TOO_LONG = `The topic of a retained message may be ${MAX_RETAINED_TOPIC_BYTES} bytes long: publish on a shorter one, or without retain.`;
