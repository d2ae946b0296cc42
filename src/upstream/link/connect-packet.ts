import type { Clock } from '../../core/clock.ts';
import type { QoS } from '../../core/message.ts';
import type { Packet } from '../../mqtt/packets.ts';
import type { Dial } from './dial.ts';

/** Will Message of a client (MQTT 5, 3.1.3.2). */
export type LinkWill = {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
};

export type LinkSettings = {
  readonly host: string;
  readonly port: number;
  /** Function that opens the connection. If undefined, a plain TCP connection is opened. */
  readonly dial?: Dial;
  readonly version: 4 | 5;
  readonly clientId: string;
  readonly clean: boolean;
  /** Session Expiry Interval in seconds (MQTT 5). */
  readonly sessionExpiry?: number;
  /**
   * Receive Maximum (MQTT 5): maximum number of QoS 1 and QoS 2 messages from the server that are in flight.
   */
  readonly receiveMaximum?: number;
  readonly will?: LinkWill | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Keep Alive in seconds. */
  readonly keepAlive: number;
  readonly clock: Clock;
};

/** Returns the CONNECT packet for the settings of a link. */
export function connectPacket(settings: LinkSettings): Packet {
  const { version, clientId, clean, username, password, keepAlive } = settings;
  const { sessionExpiry = 0, receiveMaximum, will } = settings;
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: version,
    clientId,
    clean,
    keepalive: keepAlive,
    ...(will === undefined ? {} : { will }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: Buffer.from(password) }),
    ...(version === 4
      ? {}
      : {
          properties: {
            ...(sessionExpiry === 0 ? {} : { sessionExpiryInterval: sessionExpiry }),
            ...(receiveMaximum === undefined ? {} : { receiveMaximum }),
          },
        }),
  };
}
