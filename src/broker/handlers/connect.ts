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
import { keepWill, willBytes } from '../sessions/wills.ts';
import type { Authentication, BrokerLimits, Identity } from '../types.ts';

/** Bytes of a generated client identifier. */
const GENERATED_ID_BYTES = 8;

/** Handles CONNECT: authenticates the client, then opens or resumes its session (MQTT 5, 3.1.4). */
export function handleConnect(connection: Connection, packet: Connect): ProtocolError | undefined {
  const { host, random } = connection.context;
  connection.version = packet.version;
  connection.bridge = isBridge(packet);
  connection.maximumPacketSize = packet.maximumPacketSize ?? Number.POSITIVE_INFINITY;
  connection.claimed = { client: packet.clientId, user: packet.username };
  const wrong = objectionTo(packet);
  if (wrong !== undefined) return refuse(connection, wrong);
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
 * True for a bridge. An MQTT 5 bridge does not set the bridge bit of the protocol level; its will reveals it.
 */
function isBridge({ bridge, version, clientId, will }: Connect): boolean {
  return bridge || (version === 5 && will?.topic === bridgeStateTopic(clientId));
}

/** Protocol error of a CONNECT, independent of the client's identity. Undefined if it is valid. */
function objectionTo({ version, clientId, clean, authenticationMethod }: Connect): ProtocolError | undefined {
  if (authenticationMethod !== undefined)
    return protocolError(REASON.badAuthenticationMethod, 'it wants an authentication that there is not');
  // MQTT 3.1.1, 3.1.3-8: without an identifier there is no session to resume.
  if (version < 5 && clientId === '' && !clean)
    return protocolError(REASON.clientIdentifierNotValid, 'a persistent session needs a client identifier');
  // [MQTT-3.1.3-8]
  const problem = Buffer.byteLength(clientId) > MAX_CLIENT_ID_BYTES ? 'is too long' : stringProblem(clientId);
  if (problem !== undefined)
    return protocolError(REASON.clientIdentifierNotValid, `its client identifier ${problem}`);
  return undefined;
}

/** Refusal of a client. `logged` is the full reason for the log, which the client must not see. */
type Denial = { readonly fault: ProtocolError; readonly logged: string };

/** CONNACK errors for refused credentials. */
const FAULTS = {
  refused: protocolError(REASON.notAuthorized, 'it may not connect'),
  tooMany: protocolError(REASON.connectionRateExceeded, 'too many attempts to connect as it failed lately'),
} as const;

/** Admits the client, or returns the reason of the refusal. */
function admit(
  connection: Connection,
  packet: Connect,
  clientId: string,
  outcome: Authentication,
): Denial | undefined {
  const { host, sessions } = connection.context;
  if ('reason' in outcome) return { fault: FAULTS[outcome.kind], logged: outcome.reason };
  const { version, clean } = packet;
  const wrong = willProblem(connection, packet, clientId, outcome) ?? unfit(connection, packet, clientId);
  if (wrong !== undefined) return { fault: wrong, logged: wrong.reason };
  const expiry = version === 5 ? expiryOf(packet.sessionExpiry) : clean ? 0 : Number.POSITIVE_INFINITY;
  const known = sessions.find(clientId, outcome);
  const holder = host.holderOf(outcome, connection.peer);
  const full =
    (expiry > 0 && known?.persistent !== true ? sessions.noRoomForPersistent(holder) : undefined) ??
    (known?.connection === undefined ? noRoomToConnect(connection, outcome, holder) : undefined) ??
    noRoomForWill(connection, packet, known, holder);
  if (full !== undefined)
    return { fault: protocolError(REASON.quotaExceeded, full.reason), logged: full.logged };
  enter(connection, packet, clientId, outcome, holder, expiry);
  return undefined;
}

/** Reason why no more clients or connections of a holder are possible. Undefined if they are. */
function noRoomToConnect(
  { context, listener }: Connection,
  { kind }: Identity,
  holder: Holder,
): ShareRefusal | undefined {
  if (kind === 'client' && listener.clients >= listener.max) {
    const reason = `${listener.max} clients are connected to its listener`;
    return { reason, logged: `${reason}: raise its maxConnections` };
  }
  return context.host.shares.connections.refusal(holder, 1);
}

/**
 * Reason why there is no space for the will of a CONNECT. Undefined if there is. The session's previous will
 * is released first.
 */
function noRoomForWill(
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

function willProblem(
  connection: Connection,
  { will }: Connect,
  clientId: string,
  identity: Identity,
): ProtocolError | undefined {
  const { host } = connection.context;
  if (will === undefined) return undefined;
  if (!isTopicName(will.topic))
    return protocolError(REASON.topicNameInvalid, `its will cannot go to "${will.topic.slice(0, 64)}"`);
  if (!mayPublish(host, connection.bridge, identity, clientId, will.topic))
    return protocolError(REASON.notAuthorized, `its will may not go to "${will.topic}"`);
  // [MQTT-3.2.2-13]
  if (will.retain && !host.limits().retained)
    return protocolError(REASON.retainNotSupported, 'its will is to be retained, and "retained" is false');
  return undefined;
}

/** Protocol error if the client's and the hub's limits are incompatible. Undefined if they are compatible. */
function unfit(connection: Connection, packet: Connect, clientId: string): ProtocolError | undefined {
  const { version } = packet;
  const { host } = connection.context;
  const keepAlive = keepAliveOf(packet, host.limits());
  // Before MQTT 5 there is no Server Keep Alive; mosquitto refuses the client with this code, too.
  if (version < 5 && keepAlive !== packet.keepAlive)
    return protocolError(
      REASON.clientIdentifierNotValid,
      `its keep-alive is not from 1 to ${keepAlive} seconds`,
    );
  const properties = connackProperties(packet, clientId, host.limits());
  const size = encodeConnack(version, REASON.success, false, properties).length;
  // [MQTT-3.1.2-24]
  return size > connection.maximumPacketSize
    ? protocolError(
        REASON.packetTooLarge,
        `its Maximum Packet Size is less than the ${size} bytes of CONNACK`,
      )
    : undefined;
}

/** Keep-alive in seconds. 0 means none. */
function keepAliveOf({ keepAlive }: Connect, { keepAlive: longest }: BrokerLimits): number {
  if (longest === undefined) return keepAlive;
  const most = Math.floor(longest / 1000);
  return keepAlive === 0 || keepAlive > most ? most : keepAlive;
}

/** Takes the session over from an older connection, starts or resumes it, and sends queued messages. */
function enter(
  connection: Connection,
  packet: Connect,
  clientId: string,
  identity: Identity,
  holder: Holder,
  expiry: number,
): void {
  const { context } = connection;
  const { sessions } = context;
  // [MQTT-3.1.4-3]
  sessions
    .find(clientId, identity)
    ?.connection?.close(protocolError(REASON.sessionTakenOver, 'another connection took its session over'));
  const known = sessions.find(clientId, identity);
  if (known !== undefined && packet.clean) sessions.discard(known, () => {});
  const resumed = packet.clean ? undefined : known;
  const session = resumed ?? sessions.open({ clientId, identity, holder }, expiry);
  session.pendingWill?.cancel();
  const changed = resumed === undefined || session.ends !== undefined || session.expiry !== expiry;
  session.expiry = expiry;
  session.ends = undefined;
  if (changed) sessions.save(session, error => error && context.log.warn(unkept(session, error)));
  session.connection = connection;
  context.host.shares.connections.add(session.holder, 1);
  if (identity.kind === 'client') connection.listener.clients++;
  session.connectedAt = context.clock.monotonic();
  connection.session = session;
  connection.aliases =
    packet.topicAliasMaximum > 0 ? createOutboundAliases(packet.topicAliasMaximum) : undefined;
  connection.will = willOf(session, packet);
  keepWill(context, session, connection.will);
  // [MQTT-3.1.2-24]: one and a half times the keep-alive.
  connection.keepAlive(keepAliveOf(packet, context.host.limits()) * 1500);
  const properties = connackProperties(packet, session.clientId, context.host.limits());
  // MQTT 3.1, 3.2: that byte is reserved.
  const sessionPresent = resumed !== undefined && packet.version > 3;
  connection.send(encodeConnack(packet.version, REASON.success, sessionPresent, properties));
  begin(connection, session, packet.receiveMaximum);
}

/**
 * Starts delivery: first PUBREL of received messages, then unacknowledged messages, then new ones
 * [MQTT-4.4.0-1].
 */
function begin(connection: Connection, session: Session, receiveMaximum: number): void {
  const { context } = connection;
  session.delivery = createDelivery(context, connection, session, receiveMaximum);
  context.sessions.subscriptions.renew();
  for (const [packetId, { kept }] of session.released) if (kept) session.delivery.release(packetId);
  attachQueue(session, context);
  attachInputs(session, context);
  context.sessions.deliveryChanged(session);
}

function unkept({ clientId }: Session, { message }: Error): string {
  return `The session of "${clientId}" is not kept: ${message}`;
}

function willOf(session: Session, { will }: Connect): Connection['will'] {
  return will && { message: messageFrom(session, will.topic, will), delay: will.delay * 1000 };
}

/** CONNACK properties of MQTT 5 (3.2.2.3). */
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
 * Sends CONNACK with the reason, truncated to the client's Maximum Packet Size [MQTT-3.1.2-24],
 * [MQTT-3.2.2-19].
 */
function refuse(connection: Connection, why: ProtocolError): ProtocolError {
  const { version, maximumPacketSize } = connection;
  const words = encodeConnack(version, why.code, false, { reasonString: why.reason });
  const plain = encodeConnack(version, why.code, false);
  const fitting = [words, plain].find(({ length }) => length <= maximumPacketSize);
  if (fitting !== undefined) connection.send(fitting);
  return why;
}
