import { PUBACK, PUBREC, PUBREL } from '../../mqtt/acknowledgement.ts';
import type { Publish } from '../../mqtt/read-publish.ts';
import type { ProtocolError } from '../../mqtt/reasons.ts';
import { protocolError, REASON } from '../../mqtt/reasons.ts';
import type { Request } from '../../mqtt/requests/index.ts';
import type { Connection } from '../connection/connection.ts';
import { handleAuth } from './auth.ts';
import { handleConnect } from './connect.ts';
import { handleDisconnect } from './disconnect.ts';
import { handlePingreq } from './pingreq.ts';
import { handlePublish } from './publish.ts';
import { handlePubrel } from './pubrel.ts';
import { handleSubscribe } from './subscribe.ts';
import { handleUnsubscribe } from './unsubscribe.ts';

/**
 * Calls the handler of a packet. Returns a protocol error if the connection must be closed. CONNECT must be
 * the first packet, and must not be sent twice [MQTT-3.1.0-1], [MQTT-3.1.0-2].
 */
export function handle(connection: Connection, packet: Publish | Request): ProtocolError | undefined {
  const { session } = connection;
  if (session === undefined) {
    if (packet.cmd === 'connect') return handleConnect(connection, packet);
    return protocolError(REASON.protocolError, `the client sent ${packet.cmd.toUpperCase()} before CONNECT`);
  }
  switch (packet.cmd) {
    case 'connect':
      return protocolError(REASON.protocolError, 'the client sent a second CONNECT');
    case 'publish':
      return handlePublish(connection, session, packet);
    case 'subscribe':
      return handleSubscribe(connection, session, packet);
    case 'unsubscribe':
      return handleUnsubscribe(connection, session, packet);
    case 'pingreq':
      return handlePingreq(connection);
    case 'disconnect':
      return handleDisconnect(connection, session, packet);
    case 'auth':
      return handleAuth();
  }
}

/** Calls the handler of a PUBACK, PUBREC, PUBREL or PUBCOMP (MQTT 5, 3.4 to 3.7). */
export function acknowledge(
  connection: Connection,
  type: number,
  packetId: number,
  reasonCode: number,
): ProtocolError | undefined {
  const { session } = connection;
  const delivery = session?.delivery;
  if (session === undefined || delivery === undefined)
    return protocolError(REASON.protocolError, 'the client sent an acknowledgement before CONNECT');
  if (type === PUBACK) delivery.puback(packetId);
  else if (type === PUBREC) delivery.pubrec(packetId, reasonCode);
  else if (type === PUBREL) handlePubrel(connection, session, packetId);
  else delivery.pubcomp(packetId);
  return undefined;
}
