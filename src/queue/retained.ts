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
 * A retained message is stored as metadata under `retained/<topic>`:
 *
 *   CBOR [hub time at which it expires (ms) or null, record, holder, hub time at which it was set (ms)]
 *
 * Hub time is the hub's own clock for TTLs. The holder is the user or module whose share is charged. When the
 * store opens, each retained message is read once to count it.
 */
const PREFIX = 'retained/';

export type RetainedHost = {
  /** Returns hub time (the clock for TTLs) in milliseconds. */
  readonly now: () => number;
  readonly names: (prefix: string) => string[];
  readonly get: (name: string) => Buffer | undefined;
  readonly put: (name: string, value: Buffer | undefined, onDurable: OnDurable) => void;
  /** Returns an error if the store has no space for `bytes` more bytes, otherwise undefined. */
  readonly refusal: (bytes: number) => Failure | undefined;
  /** Called when a message was refused because the store has no space for it. */
  readonly full: (reason: Failure) => void;
  /**
   * Resources with a limit for each holder (user or module): the number of retained messages, and the bytes
   * of their records.
   */
  readonly resources: Pick<Resources, 'retained' | 'retainedBytes'>;
  readonly log: Log;
};

export type Retained = RetainedMessages & {
  /** Removes at most MAX_SWEEP_ENTRIES expired messages. Returns true if further messages have expired. */
  readonly step: () => boolean;
  /** True if any message has an expiry. The store then persists hub time (the clock for TTLs). */
  readonly hasExpiring: () => boolean;
};

/** Summary of a retained message in memory. */
type Summary = {
  /** Bytes of the encoded message. */
  readonly bytes: number;
  /**
   * Hub time (clock for TTLs) in milliseconds when the message expires. Infinity if the message never
   * expires.
   */
  readonly expires: number;
  readonly holder: Holder;
  /**
   * Hub time (clock for TTLs) in milliseconds when the message was set. Undefined if an older version of the
   * hub stored it.
   */
  readonly since: number | undefined;
};

export function createRetained(host: RetainedHost): Retained {
  const { now, names, get, put, log } = host;
  const { retained: messages, retainedBytes } = host.resources;
  const summaries = new Map<string, Summary>();
  /** Number of messages with an expiry. */
  let expiringCount = 0;
  /** Hub time (clock for TTLs) in milliseconds before which no message expires. */
  let nextExpiry = Number.POSITIVE_INFINITY;

  const uncount = (topic: string): void => {
    const summary = summaries.get(topic);
    if (summary === undefined) return;
    summaries.delete(topic);
    messages.add(summary.holder, -1);
    retainedBytes.add(summary.holder, -summary.bytes);
    if (summary.expires < Number.POSITIVE_INFINITY) expiringCount--;
  };

  const count = (topic: string, summary: Summary): void => {
    uncount(topic);
    summaries.set(topic, summary);
    messages.add(summary.holder, 1);
    retainedBytes.add(summary.holder, summary.bytes);
    if (summary.expires < Number.POSITIVE_INFINITY) expiringCount++;
    nextExpiry = Math.min(nextExpiry, summary.expires);
  };

  /** Deletes a damaged message. The damage is therefore logged only once. */
  const drop = (topic: string): void => {
    log.error(`The retained message of "${topic}" is damaged and is deleted.`);
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
    summary: Summary | undefined,
    value: Buffer | undefined,
    onDurable: OnDurable,
  ): void => {
    if (summary === undefined) uncount(topic);
    else count(topic, summary);
    put(PREFIX + topic, value, error => {
      // After a failed write, the stored value is the previous value or the value of a later write. The
      // counts are read from this value.
      if (error !== undefined) reload(topic);
      onDurable(error);
    });
  };

  /** Returns an error if the share of the holder has no space for the message, otherwise undefined. */
  const shareRefusal = (topic: string, holder: Holder, bytes: number): Failure | undefined => {
    const before = summaries.get(topic);
    const sentence =
      before?.holder === holder
        ? growthRefusal(holder, bytes - before.bytes)
        : additionRefusal(topic, holder, bytes);
    if (sentence === undefined) return undefined;
    return new Failure('store.full', `A retained message was refused: ${sentence}.`);
  };

  /**
   * Returns the reason to refuse a message that replaces a message of the same holder, or undefined. A holder
   * above its share can still set a message that is not larger than the previous one.
   */
  const growthRefusal = (holder: Holder, bytes: number): string | undefined =>
    bytes <= 0 ? undefined : retainedBytes.refusal(holder, bytes)?.logged;

  /**
   * Returns the reason to refuse a new message, or undefined. A message of another holder on the same topic
   * is not counted, because the new message replaces it.
   */
  const additionRefusal = (topic: string, holder: Holder, bytes: number): string | undefined => {
    const before = summaries.get(topic);
    uncount(topic);
    const sentence = (messages.refusal(holder, 1) ?? retainedBytes.refusal(holder, bytes))?.logged;
    if (before !== undefined) count(topic, before);
    return sentence;
  };

  const store = (message: Message, holder: Holder, onDurable: OnDurable): void => {
    const { topic, ttl } = message;
    const record = encodeRecord({ ...message, retained: true });
    const refused = shareRefusal(topic, holder, record.length);
    if (refused !== undefined) {
      log.warn(refused.message);
      onDurable(refused);
      return;
    }
    const full = host.refusal(record.length - (summaries.get(topic)?.bytes ?? 0));
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

  const isAlive = (topic: string): boolean => (summaries.get(topic)?.expires ?? 0) > now();

  for (const name of names(PREFIX)) reload(name.slice(PREFIX.length));

  return {
    set: (message, holder, onDurable) => {
      const { topic, body } = message;
      if (Buffer.byteLength(topic) > MAX_RETAINED_TOPIC_BYTES) onDurable(new Failure('store.full', TOO_LONG));
      else if (body.length > 0) store(message, holder, onDurable);
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
      Array.from(summaries.keys())
        .filter(topic => topic.startsWith(prefix) && isAlive(topic))
        .sort(),
    clear: (topic, onDurable) => replace(topic, undefined, undefined, onDurable),
    list: () =>
      Array.from(summaries, ([topic, { bytes, expires, holder, since }]) => ({
        topic,
        holder,
        bytes,
        age: since === undefined ? undefined : now() - since,
        remaining: expires === Number.POSITIVE_INFINITY ? undefined : expires - now(),
      })),
    count: () => summaries.size,
    bytes: () => retainedBytes.report().held,
    hasExpiring: () => expiringCount > 0,
    step: () => {
      const time = now();
      if (nextExpiry > time) return false;
      let allowance = MAX_SWEEP_ENTRIES;
      let next = Number.POSITIVE_INFINITY;
      for (const [topic, { expires }] of summaries) {
        if (expires > time) next = Math.min(next, expires);
        else if (allowance-- === 0) return true;
        else replace(topic, undefined, undefined, () => {});
      }
      nextExpiry = next;
      return false;
    },
  };
}

/** Decodes a stored value. Undefined if the value is damaged. The record inside the value is not checked. */
function valueFrom(value: Buffer): (Omit<Summary, 'bytes'> & { readonly record: Buffer }) | undefined {
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

const TOO_LONG = `The topic of a retained message may have at most ${MAX_RETAINED_TOPIC_BYTES} bytes: publish to a shorter topic, or without retain.`;
