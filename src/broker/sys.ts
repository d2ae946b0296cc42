import { repeat } from '../core/async/repeat.ts';
import type { Message } from '../core/message.ts';
import { PLAIN } from '../core/message.ts';
import { VERSION } from '../core/version.ts';
import type { BrokerContext } from './context.ts';
import { SYS_INTERVAL_MS } from './limits.ts';
import { deliver } from './outbound/deliver.ts';
import type { RetainedSource } from './types.ts';

/*
 * $SYS topics, with the names that mosquitto uses. A new subscriber receives the current value of each topic
 * as a retained message. Changed values are published every SYS_INTERVAL_MS. Values are not stored.
 */
const ROOT = '$SYS/';

/**
 * Milliseconds for which the $SYS values of the hub are cached. Without the cache, a subscription to `$SYS/#`
 * would compute all values once per topic.
 */
const HOST_READINGS_CACHE_MS = 1_000;

/** Part of the broker's context from which the $SYS values are computed. */
type SysContext = Omit<BrokerContext, 'retained'>;

/** Function that computes the value of one $SYS topic. `seconds` is the uptime of the broker. */
type Reading = (context: SysContext, seconds: number) => string | number;

const READINGS: Readonly<Record<string, Reading>> = {
  'broker/version': () => `skerry ${VERSION}`,
  'broker/uptime': (_, seconds) => `${seconds} seconds`,
  'broker/clients/total': ({ sessions }) => sessions.count(),
  'broker/clients/connected': ({ sessions }) => sessions.connected(),
  'broker/clients/disconnected': ({ sessions }) => sessions.count() - sessions.connected(),
  'broker/connections/count': ({ counts }) => counts.connections,
  'broker/publish/messages/received': ({ counts }) => counts.received,
  'broker/publish/messages/sent': ({ counts }) => counts.sent,
  'broker/publish/messages/dropped': ({ counts }) => counts.dropped,
  'broker/publish/messages/refused': ({ counts }) => counts.refused,
  'broker/subscriptions/count': ({ sessions }) => sessions.subscriptions.count(),
  'broker/retained messages/count': ({ host }) => host.retained.count(),
};

export type Sys = {
  /** Source of retained messages: the messages of the store, and the current $SYS values. */
  readonly retained: RetainedSource;
  readonly stop: () => void;
};

export function startSys(context: SysContext): Sys {
  const { clock, host } = context;
  const started = clock.monotonic();
  const published = new Map<string, string>();

  let hostReadings: ReadonlyMap<string, string> = new Map();
  let readAt = Number.NEGATIVE_INFINITY;

  const readHost = (): ReadonlyMap<string, string> => {
    const now = clock.monotonic();
    if (now - readAt >= HOST_READINGS_CACHE_MS) {
      readAt = now;
      hostReadings = host.readings();
    }
    return hostReadings;
  };

  const read = (topic: string): string | undefined => {
    if (!topic.startsWith(ROOT)) return undefined;
    const name = topic.slice(ROOT.length);
    const reading = READINGS[name];
    if (reading === undefined) return readHost().get(name);
    return String(reading(context, Math.floor((clock.monotonic() - started) / 1000)));
  };

  const topics = (): string[] => [...Object.keys(READINGS), ...readHost().keys()].map(name => ROOT + name);

  const publish = (): void => {
    for (const topic of topics()) {
      const text = read(topic);
      if (text === undefined || published.get(topic) === text) continue;
      published.set(topic, text);
      deliver(context, messageOn(topic, text), []);
    }
  };
  const cancel = repeat(clock, SYS_INTERVAL_MS, publish);

  return {
    retained: {
      get: topic => {
        const text = read(topic);
        if (text === undefined) return host.retained.get(topic);
        return { message: { ...messageOn(topic, text), retain: true, retained: true }, remaining: undefined };
      },
      topics: prefix => {
        // A wildcard at the first level does not match topics that begin with `$` [MQTT-4.7.2-1].
        const own = prefix.startsWith('$') ? topics() : [];
        return [...own.filter(topic => topic.startsWith(prefix)), ...host.retained.topics(prefix)];
      },
    },
    stop: cancel,
  };
}

/** Returns the message with a $SYS value. Its QoS is 0, because a value that is delivered late is useless. */
function messageOn(topic: string, text: string): Message {
  return { ...PLAIN, topic, body: Buffer.from(text), qos: 0, origin: { kind: 'client', client: '' } };
}
