import type { Packet } from '../mqtt/packets.ts';
import type { LinkSettings } from './link.ts';

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
