import type { Incoming } from '../../mqtt/packets.ts';
import type { Connection } from '../connection.ts';
import { handleConnect } from './connect.ts';
import { handleDisconnect } from './disconnect.ts';
import { handlePingreq } from './pingreq.ts';
import { handlePuback } from './puback.ts';
import { handlePublish } from './publish.ts';
import { handleSubscribe } from './subscribe.ts';
import { handleUnsubscribe } from './unsubscribe.ts';

/** Why a connection must be closed; undefined: it goes on. */
export type Fault = string | undefined;

/** Gives a packet to its handler. CONNECT comes first and once (MQTT 3.1.1, 3.1.0-1 and 3.1.0-2). */
export function handle(connection: Connection, packet: Incoming): Fault {
  const { session } = connection;
  if (packet.cmd === 'connect') {
    return session === undefined ? handleConnect(connection, packet) : 'it sent a second CONNECT';
  }
  if (session === undefined) return `it sent ${packet.cmd.toUpperCase()} before CONNECT`;
  switch (packet.cmd) {
    case 'publish':
      return handlePublish(connection, session, packet);
    case 'puback':
      return handlePuback(connection, packet.messageId ?? 0);
    case 'subscribe':
      return handleSubscribe(connection, session, packet);
    case 'unsubscribe':
      return handleUnsubscribe(connection, session, packet);
    case 'pingreq':
      return handlePingreq(connection);
    case 'disconnect':
      return handleDisconnect(connection);
    default:
      return `it sent ${packet.cmd.toUpperCase()}, which a client of MQTT 3.1.1 at QoS 0 and 1 does not`;
  }
}
