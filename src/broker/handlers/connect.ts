import type { Holder, ShareRefusal } from '../../core/capacity/shares.ts';
import { NO_PROPERTIES } from '../../core/message.ts';
import { stringProblem } from '../../core/text/characters.ts';
import type { ConnackProperties } from '../../mqtt/packets.ts';
import { encodeConnack } from '../../mqtt/packets.ts';
import type { ProtocolError } from '../../mqtt/reasons.ts';
import { protocolError, REASON } from '../../mqtt/reasons.ts';
import type { Connect } from '../../mqtt/requests/connect.ts';
import { isTopicName } from '../../mqtt/topics.ts';
import { bridgeStateTopic } from '../access/access.ts';
import type { Connection } from '../connection/connection.ts';
import { mayPublish, messageFrom } from '../inbound/publication.ts';
import { MAX_CLIENT_ID_BYTES, MAX_PENDING_PUBLISHES, MAX_TOPIC_ALIASES } from '../limits.ts';
import { createOutboundAliases } from '../outbound/aliases.ts';
import { createDelivery } from '../outbound/delivery.ts';
import { attachInputs, attachQueue } from '../outbound/inputs.ts';
import type { Session } from '../sessions/session.ts';
import { expiryOf } from '../sessions/session.ts';
import { replaceWill, willBytes } from '../sessions/wills.ts';
import type { Authentication, BrokerLimits, Identity } from '../types.ts';

/** Number of random bytes in a client identifier that the broker assigns. */
const GENERATED_ID_BYTES = 8;

/** Handles CONNECT. Authenticates the client, then creates or resumes its session (MQTT 5, 3.1.4). */
export function handleConnect(connection: Connection, packet: Connect): ProtocolError | undefined {
  const { host, random } = connection.context;
  connection.version = packet.version;
  connection.bridge = isBridge(packet);
  connection.maximumPacketSize = packet.maximumPacketSize ?? Number.POSITIVE_INFINITY;
  connection.claimed = { client: packet.clientId, user: packet.username };
  const problem = connectProblem(packet);
  if (problem !== undefined) return refuse(connection, problem);
  const generated = `skerry-${random.bytes(GENERATED_ID_BYTES).toString('hex')}`;
  const clientId = packet.clientId || generated;
  const { username, password } = packet;
  connection.pause();
  host.authenticate({ username, password, clientId, peer: connection.peer }, outcome => {
    if (connection.closed) return;
    try {
      const denial = admit(connection, packet, clientId, outcome);
      if (denial !== undefined) connection.close(refuse(connection, denial.fault), denial.logged);
    } catch (thrown) {
      connection.fail(thrown);
    }
    connection.resume();
  });
  return undefined;
}

/**
 * True if the client is a bridge of another broker. An MQTT 5 bridge does not set the bridge bit of the
 * protocol version, so the topic of its will is checked.
 */
function isBridge({ bridge, version, clientId, will }: Connect): boolean {
  return bridge || (version === 5 && will?.topic === bridgeStateTopic(clientId));
}

/** Returns the protocol error of a CONNECT, before authentication. Undefined if there is none. */
function connectProblem({
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

/** Refusal of a client. `fault` is sent to the client, and `logged` is the refusal reason for the log. */
type Denial = { readonly fault: ProtocolError; readonly logged: string };

/** CONNACK errors of a failed authentication. */
const AUTHENTICATION_FAULTS = {
  refused: protocolError(REASON.notAuthorized, 'the client is not allowed to connect'),
  tooMany: protocolError(REASON.connectionRateExceeded, 'too many recent logins of this user failed'),
} as const;

/** Accepts the authenticated client, or returns the reason of its refusal. */
function admit(
  connection: Connection,
  packet: Connect,
  clientId: string,
  outcome: Authentication,
): Denial | undefined {
  const { host, sessions } = connection.context;
  if ('reason' in outcome) return { fault: AUTHENTICATION_FAULTS[outcome.kind], logged: outcome.reason };
  const { version, clean } = packet;
  const problem =
    willProblem(connection, packet, clientId, outcome) ?? limitProblem(connection, packet, clientId);
  if (problem !== undefined) return { fault: problem, logged: problem.reason };
  const expiry = version === 5 ? expiryOf(packet.sessionExpiry) : clean ? 0 : Number.POSITIVE_INFINITY;
  const known = sessions.find(clientId, outcome);
  const holder = host.holderOf(outcome, connection.peer);
  const refusal =
    (expiry > 0 && known?.persistent !== true ? sessions.persistentSessionRefusal(holder) : undefined) ??
    (known?.connection === undefined ? connectionRefusal(connection, outcome, holder) : undefined) ??
    willRefusal(connection, packet, known, holder);
  if (refusal !== undefined)
    return { fault: protocolError(REASON.quotaExceeded, refusal.reason), logged: refusal.logged };
  startSession(connection, packet, clientId, outcome, holder, expiry);
  return undefined;
}

/** Returns why the listener or the holder may not have a further connection. Undefined if both may. */
function connectionRefusal(
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
 * Returns why the holder may not have the will of a CONNECT. Undefined if it may. The will replaces the
 * previous will of the session, so only its additional bytes count.
 */
function willRefusal(
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

/** Returns the protocol error of the will in a CONNECT. Undefined if there is none. */
function willProblem(
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
  // A retained will without Retain Available is refused [MQTT-3.2.2-13].
  if (will.retain && !host.limits().retained)
    return protocolError(
      REASON.retainNotSupported,
      'the will has RETAIN set, but the manifest has "retained": false',
    );
  return undefined;
}

/**
 * Returns the protocol error of a client whose limits are incompatible with the broker's. Undefined if none.
 */
function limitProblem(connection: Connection, packet: Connect, clientId: string): ProtocolError | undefined {
  const { version } = packet;
  const { host } = connection.context;
  const keepAlive = keepAliveOf(packet, host.limits());
  // Before MQTT 5, the broker cannot change the keep-alive of a client. It refuses the client, with the same
  // reason code as mosquitto.
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

/** Returns the keep-alive of the connection in seconds. 0 means none. */
function keepAliveOf({ keepAlive }: Connect, { keepAlive: maxMs }: BrokerLimits): number {
  if (maxMs === undefined) return keepAlive;
  const max = Math.floor(maxMs / 1000);
  return keepAlive === 0 || keepAlive > max ? max : keepAlive;
}

/**
 * Closes an older connection of the client, creates or resumes the session, sends CONNACK, and starts
 * delivery.
 */
function startSession(
  connection: Connection,
  packet: Connect,
  clientId: string,
  identity: Identity,
  holder: Holder,
  expiry: number,
): void {
  const { context } = connection;
  const { sessions } = context;
  // An older connection of the same client is closed [MQTT-3.1.4-3].
  sessions
    .find(clientId, identity)
    ?.connection?.close(protocolError(REASON.sessionTakenOver, 'another connection took over the session'));
  const known = sessions.find(clientId, identity);
  if (known !== undefined && packet.clean) sessions.discard(known, () => {});
  const resumed = packet.clean ? undefined : known;
  const session = resumed ?? sessions.open({ clientId, identity, holder }, expiry);
  session.pendingWill?.cancel();
  const changed = resumed === undefined || session.ends !== undefined || session.expiry !== expiry;
  session.expiry = expiry;
  session.ends = undefined;
  if (changed) sessions.save(session, error => error && context.log.warn(notStored(session, error)));
  session.connection = connection;
  context.host.shares.connections.add(session.holder, 1);
  if (identity.kind === 'client') connection.listener.clients++;
  session.connectedAt = context.clock.monotonic();
  connection.session = session;
  connection.aliases =
    packet.topicAliasMaximum > 0 ? createOutboundAliases(packet.topicAliasMaximum) : undefined;
  connection.will = willOf(session, packet);
  replaceWill(context, session, connection.will);
  // The timeout is one and a half times the keep-alive [MQTT-3.1.2-24].
  connection.keepAlive(keepAliveOf(packet, context.host.limits()) * 1500);
  const properties = connackProperties(packet, session.clientId, context.host.limits());
  // In MQTT 3.1 the byte of Session Present is reserved (3.2).
  const sessionPresent = resumed !== undefined && packet.version > 3;
  connection.send(encodeConnack(packet.version, REASON.success, sessionPresent, properties));
  startDelivery(connection, session, packet.receiveMaximum);
}

/**
 * Starts to deliver messages. PUBREL packets are sent first, then unacknowledged messages, then new messages
 * [MQTT-4.4.0-1].
 */
function startDelivery(connection: Connection, session: Session, receiveMaximum: number): void {
  const { context } = connection;
  session.delivery = createDelivery(context, connection, session, receiveMaximum);
  context.sessions.subscriptions.invalidate();
  for (const [packetId, { stored }] of session.outboundQos2) if (stored) session.delivery.release(packetId);
  attachQueue(session, context);
  attachInputs(session, context);
  context.sessions.deliveryChanged(session);
}

/** Returns the log text for a session that could not be written to the store. */
function notStored({ clientId }: Session, { message }: Error): string {
  return `Cannot store the session of client "${clientId}": ${message}`;
}

/** Creates the will of a CONNECT. Undefined if there is none. */
function willOf(session: Session, { will }: Connect): Connection['will'] {
  return will && { message: messageFrom(session, will.topic, will), delay: will.delay * 1000 };
}

/** Returns the CONNACK properties, which exist only in MQTT 5 (3.2.2.3). */
function connackProperties(packet: Connect, clientId: string, limits: BrokerLimits): ConnackProperties {
  if (packet.version < 5) return {};
  const keepAlive = keepAliveOf(packet, limits);
  return {
    receiveMaximum: MAX_PENDING_PUBLISHES,
    maximumPacketSize: limits.packetSize,
    ...(limits.retained ? {} : { retainAvailable: false }),
    ...(keepAlive === packet.keepAlive ? {} : { serverKeepAlive: keepAlive }),
    topicAliasMaximum: MAX_TOPIC_ALIASES,
    ...(packet.clientId === '' ? { assignedClientIdentifier: clientId } : {}),
    ...(packet.requestResponseInformation ? { responseInformation: `responses/${clientId}` } : {}),
  };
}

/**
 * Sends CONNACK with the reason of a refusal. If the packet exceeds the client's Maximum Packet Size, sends
 * it without Reason String; if it is still too large, sends nothing [MQTT-3.1.2-24], [MQTT-3.2.2-19].
 */
function refuse(connection: Connection, fault: ProtocolError): ProtocolError {
  const { version, maximumPacketSize } = connection;
  const withReason = encodeConnack(version, fault.code, false, { reasonString: fault.reason });
  const plain = encodeConnack(version, fault.code, false);
  const packet = [withReason, plain].find(({ length }) => length <= maximumPacketSize);
  if (packet !== undefined) connection.send(packet);
  return fault;
}
