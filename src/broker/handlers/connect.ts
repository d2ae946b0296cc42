import { encodeConnack } from '../../mqtt/packets.ts';
import type { ProtocolError } from '../../mqtt/reasons.ts';
import { protocolError, REASON } from '../../mqtt/reasons.ts';
import type { Connect } from '../../mqtt/requests/connect.ts';
import { bridgeStateTopic } from '../access/access.ts';
import type { Connection } from '../connection/connection.ts';
import type { BrokerContext } from '../context.ts';
import { messageFrom } from '../inbound/publication.ts';
import { createOutboundAliases } from '../outbound/aliases.ts';
import { createDelivery } from '../outbound/delivery.ts';
import { attachInputs, attachQueue } from '../outbound/inputs.ts';
import type { Session, SessionOwner } from '../sessions/session.ts';
import { expiryOf } from '../sessions/session.ts';
import { replaceWill } from '../sessions/wills.ts';
import type { Authentication } from '../types.ts';
import { connackProperties, keepAliveOf } from './connack.ts';
import {
  connectionRefusal,
  connectProblem,
  limitProblem,
  willProblem,
  willRefusal,
} from './connect-checks.ts';

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
 * protocol version. Such a bridge is recognized by the topic of its will.
 */
function isBridge({ bridge, version, clientId, will }: Connect): boolean {
  return bridge || (version === 5 && will?.topic === bridgeStateTopic(clientId));
}

/**
 * Sends CONNACK with the reason of a refusal. Omits the Reason String if the packet would exceed the client's
 * Maximum Packet Size [MQTT-3.2.2-19]. Sends nothing if CONNACK is still too large [MQTT-3.1.2-24].
 */
function refuse(connection: Connection, fault: ProtocolError): ProtocolError {
  const { version, maximumPacketSize } = connection;
  const withReason = encodeConnack(version, fault.code, false, { reasonString: fault.reason });
  const plain = encodeConnack(version, fault.code, false);
  const packet = [withReason, plain].find(({ length }) => length <= maximumPacketSize);
  if (packet !== undefined) connection.send(packet);
  return fault;
}

/** Refusal of a client. `fault` is sent to the client, and `logged` is the refusal reason for the log. */
type Denial = { readonly fault: ProtocolError; readonly logged: string };

/** CONNACK errors of a failed authentication. */
const AUTHENTICATION_FAULTS = {
  refused: protocolError(REASON.notAuthorized, 'the client is not allowed to connect'),
  tooMany: protocolError(REASON.connectionRateExceeded, 'too many recent logins of this user failed'),
} as const;

/**
 * Called with the result of the authentication. Starts the session if the client is accepted. Otherwise
 * returns the refusal.
 */
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
  startSession(connection, packet, { clientId, identity: outcome, holder }, expiry);
  return undefined;
}

/** Attaches the connection to its session, sends CONNACK, and starts delivery. */
function startSession(connection: Connection, packet: Connect, owner: SessionOwner, expiry: number): void {
  const { context } = connection;
  const { session, resumed } = resumeOrCreate(context, packet, owner, expiry);
  session.connection = connection;
  context.host.shares.connections.add(session.holder, 1);
  if (session.identity.kind === 'client') connection.listener.clients++;
  session.connectedAt = context.clock.monotonic();
  connection.session = session;
  connection.aliases =
    packet.topicAliasMaximum > 0 ? createOutboundAliases(packet.topicAliasMaximum) : undefined;
  connection.will = willOf(session, packet);
  replaceWill(context, session, connection.will);
  // The timeout is one and a half times the keep-alive (MQTT 3.1.1, 3.1.2-24). The factor 1500 also converts
  // seconds to milliseconds.
  connection.keepAlive(keepAliveOf(packet, context.host.limits()) * 1500);
  const properties = connackProperties(packet, session.clientId, context.host.limits());
  // In MQTT 3.1 the byte of Session Present is reserved (3.2).
  const sessionPresent = resumed && packet.version > 3;
  connection.send(encodeConnack(packet.version, REASON.success, sessionPresent, properties));
  startDelivery(connection, session, packet.receiveMaximum);
}

/**
 * Closes an older connection of the client, then resumes the client's session. Creates a session if the
 * client has none. If CONNECT has Clean Start, discards the old session and creates a new one (MQTT 5,
 * 3.1.2.4).
 */
function resumeOrCreate(
  { sessions, log }: BrokerContext,
  { clean }: Connect,
  owner: SessionOwner,
  expiry: number,
): { readonly session: Session; readonly resumed: boolean } {
  const { clientId, identity } = owner;
  // An older connection of the same client is closed [MQTT-3.1.4-3].
  sessions
    .find(clientId, identity)
    ?.connection?.close(protocolError(REASON.sessionTakenOver, 'another connection took over the session'));
  // Looks up the session after the older connection is closed, because closing a connection can end its
  // session.
  const known = sessions.find(clientId, identity);
  if (known !== undefined && clean) sessions.discard(known, () => {});
  const resumed = known !== undefined && !clean;
  const session = resumed ? known : sessions.open(owner, expiry);
  session.pendingWill?.cancel();
  const changed = !resumed || session.ends !== undefined || session.expiry !== expiry;
  session.expiry = expiry;
  session.ends = undefined;
  if (changed) sessions.save(session, error => error && log.warn(notStored(session, error)));
  return { session, resumed };
}

/**
 * Starts the delivery of messages. PUBREL packets are sent first, then unacknowledged messages, then new
 * messages [MQTT-4.4.0-1].
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

/** Creates the will of a CONNECT. Undefined if the CONNECT has no will. */
function willOf(session: Session, { will }: Connect): Connection['will'] {
  return will && { message: messageFrom(session, will.topic, will), delay: will.delay * 1000 };
}

/** Returns the log text for a session that could not be written to the store. */
function notStored({ clientId }: Session, { message }: Error): string {
  return `Cannot store the session of client "${clientId}": ${message}`;
}
