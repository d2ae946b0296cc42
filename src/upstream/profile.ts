import { propertiesForParent, propertiesForServer } from '../core/child-source.ts';
import type { Message, Properties } from '../core/message.ts';

/** What servers of one kind are told of a message, and take: data, so that another kind is another row. */
export type Profile = {
  /** The topic of a message, unless the manifest says another. */
  readonly topic: string;
  /** The most that they offer, whatever they say. */
  readonly maximumQoS: 1 | 2;
  readonly retain: boolean;
  /** Whose time to live is sent: what its sender gave it, or whatever is left to it here. */
  readonly expiry: 'sender' | 'all';
  /**
   * The user properties that a message goes up with; undefined: it must not. `keepsTopic`: it goes up under a topic that
   * tells no hub from another.
   */
  readonly properties: (message: Message, device: string, keepsTopic: boolean) => Properties | undefined;
};

const MQTT: Profile = {
  topic: '{device}/{module}/{output}',
  maximumQoS: 2,
  retain: true,
  expiry: 'sender',
  properties: propertiesForServer,
};

/** A parent hub, which is told where a message began. */
const SKERRY: Profile = { ...MQTT, expiry: 'all', properties: propertiesForParent };

export const PROFILES: Readonly<Record<'mqtt' | 'skerry', Profile>> = { mqtt: MQTT, skerry: SKERRY };
