import type { ConnectPacket } from '../../mqtt/packets.ts';
import { CONNACK } from '../../mqtt/packets.ts';
import { isTopicName } from '../../mqtt/topics.ts';
import type { Connection } from '../connection.ts';
import { messageFrom } from '../inbound.ts';
import { attachBacklog } from '../inputs.ts';
import type { Session } from '../session.ts';
import type { Identity, LoginOutcome } from '../types.ts';
import type { Fault } from './index.ts';

/** Bytes of a generated client identifier. */
const GENERATED_ID_BYTES = 8;

/** Bytes of a client identifier: it becomes part of a name in the store. */
const MAX_CLIENT_ID_BYTES = 1024;

/** None is in a client identifier, as it stands in the store and in the log (MQTT 3.1.1, 1.5.3). */
const CONTROL_CHARACTER = /\p{Cc}/u;

/** Opens or resumes a session (MQTT 3.1.1, 3.1.4). */
export function handleConnect(connection: Connection, packet: ConnectPacket): Fault {
  const { host } = connection.context;
  if (packet.protocolVersion === 5) {
    // MQTT 5, 3.2.2.2: 0x84 tells a client of version 5 to try an older one.
    connection.send({ cmd: 'connack', reasonCode: 0x84, returnCode: 0x84, sessionPresent: false });
    return 'it speaks MQTT 5, this broker 3.1.1';
  }
  const { username, password, will } = packet;
  // MQTT 3.1.1, 3.1.2-22 and 3.1.2-14: mqtt-packet lets them pass.
  if (password !== undefined && username === undefined) return 'it gave a password without a user name';
  if ((will?.qos ?? 0) > 2) return 'its will has a QoS that there is not';
  const { clientId } = packet;
  const goOn = connection.hold();
  host.authenticate({ username, password, clientId, peer: connection.peer }, outcome =>
    goOn(() => admit(connection, packet, outcome)),
  );
  return undefined;
}

/** Lets it in as who it is, or says why not. */
function admit(connection: Connection, packet: ConnectPacket, identity: LoginOutcome): Fault {
  if (identity === 'refused') return refuse(connection, CONNACK.notAuthorized, 'it may not connect');
  if (identity === 'tooMany') {
    return refuse(connection, CONNACK.serverUnavailable, 'too many logins failed, or wait');
  }
  const { host, random } = connection.context;
  const { will } = packet;
  const clean = packet.clean !== false;
  if (packet.clientId === '' && !clean) {
    // MQTT 3.1.1, 3.1.3-8: without an identifier there is nothing to resume.
    return refuse(connection, CONNACK.identifierRejected, 'a persistent session needs a client identifier');
  }
  if (!isClientId(packet.clientId)) {
    // MQTT 3.1.1, 3.1.3-9.
    const reason = 'its client identifier is too long or has control characters';
    return refuse(connection, CONNACK.identifierRejected, reason);
  }
  const generated = `skerry-${random.bytes(GENERATED_ID_BYTES).toString('hex')}`;
  const clientId = packet.clientId || generated;
  if (will !== undefined && !(isTopicName(will.topic) && host.mayPublish(identity, clientId, will.topic))) {
    return refuse(connection, CONNACK.notAuthorized, `its will may not go to "${will.topic}"`);
  }
  const known = connection.context.sessions.find(packet.clientId, identity);
  if (!clean && known === undefined && !connection.context.sessions.roomForPersistent()) {
    return refuse(connection, CONNACK.serverUnavailable, 'too many persistent sessions are kept');
  }
  const session = enter(connection, clientId, identity, clean);
  connection.will =
    will && messageFrom(session, { ...will, qos: will.qos ?? 0, retain: will.retain === true });
  // MQTT 3.1.1, 3.1.2-24: one and a half times the keep-alive.
  connection.keepAlive((packet.keepalive ?? 0) * 1500);
  return undefined;
}

/** Takes the session over from an older connection, begins anew or resumes, and sends what waited. */
function enter(connection: Connection, clientId: string, identity: Identity, clean: boolean): Session {
  const { sessions } = connection.context;
  // MQTT 3.1.1, 3.1.4-2.
  sessions.find(clientId, identity)?.connection?.close('another connection took its session over');
  const known = sessions.find(clientId, identity);
  if (known !== undefined && clean) sessions.discard(known, () => {});
  const resumed = clean ? undefined : known;
  const session = resumed ?? sessions.open(clientId, identity, !clean);
  session.connection = connection;
  connection.session = session;
  connection.send({ cmd: 'connack', returnCode: CONNACK.accepted, sessionPresent: resumed !== undefined });
  attachBacklog(connection, session);
  return session;
}

function isClientId(text: string): boolean {
  return Buffer.byteLength(text) <= MAX_CLIENT_ID_BYTES && !CONTROL_CHARACTER.test(text);
}

function refuse(connection: Connection, returnCode: number, reason: string): Fault {
  connection.send({ cmd: 'connack', returnCode, sessionPresent: false });
  return reason;
}
