import { propertiesForParent, propertiesForServer } from '../core/child-source.ts';
import type { Message, Properties } from '../core/message.ts';

/** Rules for sending messages to one kind of server. */
export type Profile = {
  /** Default topic template. Used if the manifest sets no topic template. */
  readonly topic: string;
  /** Maximum QoS for servers of this kind, even if a server announces a higher QoS. */
  readonly maximumQoS: 1 | 2;
  readonly retain: boolean;
  /**
   * Messages that are sent with a Message Expiry Interval. `sender`: only messages whose sender has set an
   * expiry. `all`: all messages with a TTL.
   */
  readonly expiry: 'sender' | 'all';
  /**
   * Returns the user properties of an outgoing message. Returns undefined if the message has passed too many
   * hubs and must not be sent. `keepsTopic` is true if the topic does not contain the device's name.
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

/** Profile of a parent hub. User properties tell the parent hub the origin of each message. */
const SKERRY: Profile = { ...MQTT, expiry: 'all', properties: propertiesForParent };

export const PROFILES: Readonly<Record<'mqtt' | 'skerry', Profile>> = { mqtt: MQTT, skerry: SKERRY };
