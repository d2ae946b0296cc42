import type { Holder, ShareRefusal } from '../../core/capacity/shares.ts';
import { NO_PROPERTIES } from '../../core/message.ts';
import { stringProblem } from '../../core/text/characters.ts';
import { encodeConnack } from '../../mqtt/packets.ts';
import type { ProtocolError } from '../../mqtt/reasons.ts';
import { protocolError, REASON } from '../../mqtt/reasons.ts';
import type { Connect } from '../../mqtt/requests/connect.ts';
import { isTopicName } from '../../mqtt/topics.ts';
import type { Connection } from '../connection/connection.ts';
import { mayPublish } from '../inbound/publication.ts';
import { MAX_CLIENT_ID_BYTES } from '../limits.ts';
import type { Session } from '../sessions/session.ts';
import { willBytes } from '../sessions/wills.ts';
import type { Identity } from '../types.ts';
import { connackProperties, keepAliveOf } from './connack.ts';

/**
 * Checks a CONNECT before authentication, and returns the protocol error. Undefined if the CONNECT is valid.
 */
export function connectProblem({
  version,
  clientId,
  clean,
  authenticationMethod,
}: Connect): ProtocolError | undefined {
  if (authenticationMethod !== undefined)
    return protocolError(REASON.badAuthenticationMethod, 'the authentication method is not supported');
  // Before MQTT 5, a client without a client identifier must request a clean session (MQTT 3.1.1, 3.1.3-8).
  if (version < 5 && clientId === '' && !clean)
    return protocolError(REASON.clientIdentifierNotValid, 'a persistent session needs a client identifier');
  // An invalid client identifier is refused with "Client Identifier not valid" [MQTT-3.1.3-8].
  const problem = Buffer.byteLength(clientId) > MAX_CLIENT_ID_BYTES ? 'is too long' : stringProblem(clientId);
  if (problem !== undefined)
    return protocolError(REASON.clientIdentifierNotValid, `the client identifier ${problem}`);
  return undefined;
}

/** Returns the protocol error of the will in a CONNECT. Undefined if the will is valid or absent. */
export function willProblem(
  connection: Connection,
  { will }: Connect,
  clientId: string,
  identity: Identity,
): ProtocolError | undefined {
  const { host } = connection.context;
  if (will === undefined) return undefined;
  if (!isTopicName(will.topic))
    return protocolError(
      REASON.topicNameInvalid,
      `the will topic "${will.topic.slice(0, 64)}" is not a valid topic name`,
    );
  if (!mayPublish(host, connection.bridge, identity, clientId, will.topic))
    return protocolError(REASON.notAuthorized, `the client may not publish a will to "${will.topic}"`);
  // A retained will is refused if the broker does not offer retained messages [MQTT-3.2.2-13].
  if (will.retain && !host.limits().retained)
    return protocolError(
      REASON.retainNotSupported,
      'the will has RETAIN set, but the manifest has "retained": false',
    );
  return undefined;
}

/**
 * Returns the protocol error of a client whose limits are incompatible with the limits of the broker.
 * Undefined if the limits are compatible.
 */
export function limitProblem(
  connection: Connection,
  packet: Connect,
  clientId: string,
): ProtocolError | undefined {
  const { version } = packet;
  const { host } = connection.context;
  const keepAlive = keepAliveOf(packet, host.limits());
  // Before MQTT 5, CONNACK cannot lower the client's keep-alive, so the client is refused. mosquitto uses the
  // same reason code.
  if (version < 5 && keepAlive !== packet.keepAlive)
    return protocolError(
      REASON.clientIdentifierNotValid,
      `the keep-alive must be from 1 to ${keepAlive} seconds`,
    );
  const properties = connackProperties(packet, clientId, host.limits());
  const size = encodeConnack(version, REASON.success, false, properties).length;
  // CONNACK must not exceed the client's Maximum Packet Size [MQTT-3.1.2-24].
  return size > connection.maximumPacketSize
    ? protocolError(
        REASON.packetTooLarge,
        `the client's Maximum Packet Size is less than the ${size} bytes of CONNACK`,
      )
    : undefined;
}

/**
 * Returns the reason why the listener or the holder (the user, module or address whose share is charged)
 * cannot have a further connection. Undefined if the connection is permitted.
 */
export function connectionRefusal(
  { context, listener }: Connection,
  { kind }: Identity,
  holder: Holder,
): ShareRefusal | undefined {
  if (kind === 'client' && listener.clients >= listener.max) {
    const reason = `${listener.max} clients are connected to this listener, its maximum`;
    return { reason, logged: `${reason}: raise "maxConnections" of the listener` };
  }
  return context.host.shares.connections.refusal(holder, 1);
}

/**
 * Returns the reason why the will of a CONNECT exceeds the memory share of the holder (the user, module or
 * address whose share is charged). Undefined if the share is large enough. The will replaces the previous
 * will of the session. Therefore only the difference between the sizes of both wills counts.
 */
export function willRefusal(
  { context }: Connection,
  { will }: Connect,
  known: Session | undefined,
  holder: Holder,
): ShareRefusal | undefined {
  const { willBytes: shares } = context.host.shares;
  if (will === undefined) return undefined;
  const { topic, payload: body, properties: given } = will;
  const { contentType, responseTopic, correlation, userProperties: properties = NO_PROPERTIES } = given ?? {};
  const bytes = willBytes({ topic, body, contentType, responseTopic, correlation, properties });
  const more = bytes - (known?.willBytes ?? 0);
  return more > 0 ? shares.refusal(holder, more) : undefined;
}
