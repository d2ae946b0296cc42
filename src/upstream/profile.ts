import { propertiesForParent, propertiesForServer } from '../core/child-source.ts';
import type { Message, Properties } from '../core/message.ts';

/** Profile of a kind of server, as data: another kind is another row. */
export type Profile = {
  /** Default topic template. */
  readonly topic: string;
  /** Maximum QoS of such servers, whatever they announce. */
  readonly maximumQoS: 1 | 2;
  readonly retain: boolean;
  /** Message expiry that is sent: only the sender's, or the remaining time to live. */
  readonly expiry: 'sender' | 'all';
  /**
   * User properties of an outgoing message. Undefined if the message must not be sent. `keepsTopic`: the
   * topic does not contain the device's name.
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

/** Parent hub, which gets the origin of each message. */
const SKERRY: Profile = { ...MQTT, expiry: 'all', properties: propertiesForParent };

export const PROFILES: Readonly<Record<'mqtt' | 'skerry', Profile>> = { mqtt: MQTT, skerry: SKERRY };
