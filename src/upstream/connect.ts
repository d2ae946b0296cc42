import type { Clock } from '../core/clock.ts';
import type { QoS } from '../core/message.ts';
import type { Packet } from '../mqtt/packets.ts';
import type { Dial } from './dial.ts';

/** The will of a client (MQTT 5, 3.1.3.2). */
export type LinkWill = {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
};

export type LinkSettings = {
  readonly host: string;
  readonly port: number;
  /** Without it, plain TCP. */
  readonly dial?: Dial;
  readonly version: 4 | 5;
  readonly clientId: string;
  readonly clean: boolean;
  /** Seconds that the server is to keep the session for (MQTT 5). */
  readonly sessionExpiry?: number;
  /** Messages at QoS 1 and 2 that it may send at once (MQTT 5). */
  readonly receiveMaximum?: number;
  readonly will?: LinkWill | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Seconds. */
  readonly keepAlive: number;
  readonly clock: Clock;
};

/** The CONNECT that a link begins with. */
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
