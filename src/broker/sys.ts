import type { Cancel } from '../core/clock.ts';
import { SYS_INTERVAL } from '../core/limits.ts';
import type { Message } from '../core/message.ts';
import { PLAIN } from '../core/message.ts';
import { VERSION } from '../core/version.ts';
import type { RetainedMessages } from '../queue/types.ts';
import type { DeliveryContext } from './outbound/deliver.ts';
import { deliver } from './outbound/deliver.ts';

/*
 * What the broker says of itself, under the names that mosquitto's users know. A new subscriber hears each at once, as
 * if it were retained, and then what has changed every ten seconds; none of it is stored.
 */
const ROOT = '$SYS/broker/';

type Reading = (context: DeliveryContext, seconds: number) => string | number;

const READINGS: Readonly<Record<string, Reading>> = {
  version: () => `skerry ${VERSION}`,
  uptime: (_, seconds) => `${seconds} seconds`,
  'clients/total': ({ sessions }) => sessions.count(),
  'clients/connected': ({ sessions }) => sessions.connected(),
  'clients/disconnected': ({ sessions }) => sessions.count() - sessions.connected(),
  'connections/count': ({ counts }) => counts.connections,
  'publish/messages/received': ({ counts }) => counts.received,
  'publish/messages/sent': ({ counts }) => counts.sent,
  'publish/messages/dropped': ({ counts }) => counts.dropped,
  'publish/messages/refused': ({ counts }) => counts.refused,
  'subscriptions/count': ({ sessions }) => sessions.subscriptions.count(),
  'retained messages/count': ({ host }) => host.retained.count(),
};

export type Sys = {
  /** The retained messages that subscribers see: those of the store, and these. */
  readonly retained: Pick<RetainedMessages, 'get' | 'topics'>;
  readonly stop: () => void;
};

export function startSys(context: DeliveryContext): Sys {
  const { clock, host } = context;
  const started = clock.monotonic();
  const said = new Map<string, string>();

  const read = (topic: string): string | undefined => {
    const reading = topic.startsWith(ROOT) ? READINGS[topic.slice(ROOT.length)] : undefined;
    return reading && String(reading(context, Math.floor((clock.monotonic() - started) / 1000)));
  };

  const publish = (): void => {
    for (const name of Object.keys(READINGS)) {
      const topic = ROOT + name;
      const text = read(topic);
      if (text === undefined || said.get(topic) === text) continue;
      said.set(topic, text);
      deliver(context, messageOn(topic, text), []);
    }
    cancel = clock.after(SYS_INTERVAL, publish);
  };
  let cancel: Cancel = clock.after(SYS_INTERVAL, publish);

  return {
    retained: {
      get: topic => {
        const text = read(topic);
        if (text === undefined) return host.retained.get(topic);
        return { message: { ...messageOn(topic, text), retain: true, retained: true }, remaining: undefined };
      },
      topics: prefix => {
        // A wildcard at the first level spares what begins with `$` [MQTT-4.7.2-1].
        const own = prefix.startsWith('$') ? Object.keys(READINGS).map(name => ROOT + name) : [];
        return [...own.filter(topic => topic.startsWith(prefix)), ...host.retained.topics(prefix)];
      },
    },
    stop: () => cancel(),
  };
}

/** At QoS 0: nobody needs a count that is old. */
function messageOn(topic: string, text: string): Message {
  return { ...PLAIN, topic, body: Buffer.from(text), qos: 0, origin: { kind: 'client', client: '' } };
}
