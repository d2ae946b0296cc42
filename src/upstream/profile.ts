import { propertiesForParent, propertiesForServer } from '../core/child-source.ts';
import type { Message, Properties } from '../core/message.ts';

/** Profile of a kind of server. */
export type Profile = {
  /** Topic template if the manifest defines none. */
  readonly topic: string;
  /** Maximum QoS for servers of this kind, even if a server announces a higher one. */
  readonly maximumQoS: 1 | 2;
  readonly retain: boolean;
  /**
   * Messages that are sent with a Message Expiry Interval. `sender`: only messages whose sender set one.
   * `all`: all messages with a TTL.
   */
  readonly expiry: 'sender' | 'all';
  /**
   * Returns the user properties of an outgoing message. Undefined if the message has passed too many hubs and
   * must not be sent. `keepsTopic` is true if the topic does not contain the device's name.
   */
  readonly properties: (message: Message, device: string, keepsTopic: boolean) => Properties | undefined;
};

/** Profile of any MQTT broker. */
const MQTT: Profile = {
  topic: '{device}/{module}/{output}',
  maximumQoS: 2,
  retain: true,
  expiry: 'sender',
  properties: propertiesForServer,
};

/**
 * Profile of a parent hub. User properties of each message contain the origin of the message for the parent
 * hub.
 */
const SKERRY: Profile = { ...MQTT, expiry: 'all', properties: propertiesForParent };

export const PROFILES: Readonly<Record<'mqtt' | 'skerry', Profile>> = { mqtt: MQTT, skerry: SKERRY };
