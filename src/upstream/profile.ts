import type { Message } from '../core/message.ts';

/** What servers of one kind are told of a message, and take: data, so that another kind is another row. */
export type Profile = {
  /** The topic of a message, unless the manifest says another. */
  readonly topic: string;
  /** The most that they offer, whatever they say. */
  readonly maximumQoS: 1 | 2;
  readonly retain: boolean;
  /** Whose time to live is sent: what its sender gave it, or whatever is left to it here. */
  readonly expiry: 'sender' | 'all';
  /** User properties that are added, behind those that there are. */
  readonly adds: (message: Message, device: string) => readonly string[];
};

const NOTHING: readonly string[] = [];

const MQTT: Profile = {
  topic: '{device}/{module}/{output}',
  maximumQoS: 2,
  retain: true,
  expiry: 'sender',
  adds: () => NOTHING,
};

/**
 * A parent hub is told where a message comes from, as each hub on the way was: the first of these properties are of where it
 * began, the last of the hub that sent it. They are words of their senders, and grant nothing.
 */
const SKERRY: Profile = { ...MQTT, expiry: 'all', adds: sourceOf };

export const PROFILES: Readonly<Record<'mqtt' | 'skerry', Profile>> = { mqtt: MQTT, skerry: SKERRY };

function sourceOf({ origin, topic }: Message, device: string): string[] {
  const source = ['$connectionDeviceId', device, '$topic', topic];
  if (origin.kind !== 'module') return source;
  source.push('$connectionModuleId', origin.module);
  if (origin.output !== '') source.push('$outputName', origin.output);
  return source;
}
