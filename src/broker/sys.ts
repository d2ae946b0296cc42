import type { Cancel } from '../core/clock.ts';
import type { Message } from '../core/message.ts';
import { PLAIN } from '../core/message.ts';
import { VERSION } from '../core/version.ts';
import type { BrokerContext } from './context.ts';
import { SYS_INTERVAL_MS } from './limits.ts';
import { deliver } from './outbound/deliver.ts';
import type { RetainedSource } from './types.ts';

/*
 * $SYS topics, named as mosquitto's. A new subscriber gets each value at once as a retained message, and
 * changed values every ten seconds. None is stored.
 */
const ROOT = '$SYS/';

/** Milliseconds for which the host's values are cached, because a subscriber to all topics requests each. */
const HOST_READINGS_KEPT = 1_000;

/** Part of a broker's context that the readings need. */
type SysContext = Omit<BrokerContext, 'retained'>;

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
  /** Retained messages for subscribers: those of the store and the $SYS topics. */
  readonly retained: RetainedSource;
  readonly stop: () => void;
};

export function startSys(context: SysContext): Sys {
  const { clock, host } = context;
  const started = clock.monotonic();
  const said = new Map<string, string>();

  let ofHost: ReadonlyMap<string, string> = new Map();
  let askedAt = Number.NEGATIVE_INFINITY;

  const readHost = (): ReadonlyMap<string, string> => {
    const now = clock.monotonic();
    if (now - askedAt >= HOST_READINGS_KEPT) {
      askedAt = now;
      ofHost = host.readings();
    }
    return ofHost;
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
      if (text === undefined || said.get(topic) === text) continue;
      said.set(topic, text);
      deliver(context, messageOn(topic, text), []);
    }
    cancel = clock.after(SYS_INTERVAL_MS, publish);
  };
  let cancel: Cancel = clock.after(SYS_INTERVAL_MS, publish);

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
    stop: () => cancel(),
  };
}

/** $SYS message at QoS 0, because an old value is useless. */
function messageOn(topic: string, text: string): Message {
  return { ...PLAIN, topic, body: Buffer.from(text), qos: 0, origin: { kind: 'client', client: '' } };
}
