import {
  CLOSE_LINGER,
  CONNECT_TIMEOUT,
  MAX_PACKET_BYTES,
  MAX_SOCKET_BACKLOG_BYTES,
  MAX_UNSETTLED,
} from '../core/limits.ts';
import type { Message } from '../core/message.ts';
import { createOutput } from '../core/output.ts';
import { createFramer } from '../mqtt/framing.ts';
import type { Incoming, Packet } from '../mqtt/packets.ts';
import { CONNACK, encode } from '../mqtt/packets.ts';
import type { Dispatch } from '../mqtt/publish.ts';
import { encodePuback, encodePublish } from '../mqtt/publish.ts';
import type { Delivery } from './delivery.ts';
import { createDelivery } from './delivery.ts';
import type { Express } from './express.ts';
import { createExpress } from './express.ts';
import type { Fault } from './handlers/index.ts';
import { handle } from './handlers/index.ts';
import type { ClientSocket, Peer } from './listeners/socket.ts';
import type { Receipts } from './receipts.ts';
import { createReceipts } from './receipts.ts';
import type { Session, Sessions } from './session.ts';
import type { BrokerCounts, BrokerSettings } from './types.ts';

/** The first byte of the one packet a connection may begin with (MQTT 3.1.1, 3.1.0-1). */
const CONNECT_HEADER = 0x10;

/** What all connections of one broker share. */
export type BrokerContext = BrokerSettings & { readonly sessions: Sessions; readonly counts: BrokerCounts };

/** One network connection, from its first byte on. */
export type Connection = {
  readonly context: BrokerContext;
  readonly peer: Peer;
  readonly delivery: Delivery;
  readonly receipts: Receipts;
  readonly express: Express;
  /** Undefined until CONNECT was accepted. */
  session: Session | undefined;
  /** Published when the connection ends without DISCONNECT (MQTT 3.1.1, 3.1.2.5). */
  will: Message | undefined;
  /** Nothing more is taken in until the function that it gives is called, with what is to be done first. */
  readonly hold: () => (first: () => Fault) => void;
  /** From now on the connection is closed after so many milliseconds without a packet; 0: never. */
  readonly keepAlive: (milliseconds: number) => void;
  readonly send: (packet: Packet) => void;
  /** False: the socket holds too much already. */
  readonly sendPublish: (message: Message, dispatch: Dispatch) => boolean;
  /** The same for PUBLISH packets as they came in. */
  readonly sendPackets: (bytes: Buffer) => boolean;
  /** Ends it after what was sent is out; `reason` is logged. */
  readonly close: (reason: string | undefined) => void;
};

/** Serves `socket` as a client of the broker. */
export function openConnection(context: BrokerContext, socket: ClientSocket, peer: Peer): Connection {
  const { clock, log, counts } = context;
  let lastPacket = clock.monotonic();
  let heard = false;
  let begun = false;
  let held: Incoming[] | undefined;
  let patience = 0;
  let ended = false;

  const output = createOutput(socket);
  const write = (bytes: Buffer): void => {
    if (!ended) output.write(bytes);
  };

  const keepsUp = (): boolean => !ended && socket.writableLength <= MAX_SOCKET_BACKLOG_BYTES;

  const sendPackets = (bytes: Buffer): boolean => {
    if (!keepsUp()) return false;
    write(bytes);
    return true;
  };

  const sendPublish = (message: Message, dispatch: Dispatch): boolean => {
    if (!keepsUp()) return false;
    counts.sent++;
    write(encodePublish(message, dispatch));
    return true;
  };

  const settled = (): void => {
    if (socket.isPaused() && connection.receipts.owed() < MAX_UNSETTLED / 2) socket.resume();
  };

  const connection: Connection = {
    context,
    peer,
    delivery: createDelivery(sendPublish),
    receipts: createReceipts(messageId => write(encodePuback(messageId)), settled),
    express: createExpress(counts, context.sessions.subscriptions.version),
    session: undefined,
    will: undefined,
    keepAlive: milliseconds => {
      patience = milliseconds;
      cancelWatch();
      if (patience > 0) cancelWatch = clock.after(patience, watch);
    },
    hold: () => {
      const waiting: Incoming[] = [];
      held = waiting;
      socket.pause();
      return first => guard(() => goOn(first, waiting));
    },
    send: packet => write(encode(packet)),
    sendPublish,
    sendPackets,
    close: reason => {
      if (ended) return;
      ended = true;
      if (reason !== undefined) log.warn(`Closed the connection of ${nameOf(connection)}: ${reason}.`);
      cancelWatch();
      output.flush();
      socket.destroySoon();
      const cancel = clock.after(CLOSE_LINGER, () => socket.destroy());
      socket.once('close', cancel);
      leave(connection);
    },
  };

  const take = (packet: Incoming): void => {
    if (ended) return;
    const fault = handle(connection, packet);
    if (fault !== undefined) connection.close(fault);
  };

  const goOn = (first: () => Fault, waiting: readonly Incoming[]): void => {
    held = undefined;
    if (ended) return;
    const fault = first();
    if (fault !== undefined) connection.close(fault);
    for (const packet of waiting) take(packet);
    if (!ended) socket.resume();
  };

  /** A fault of ours in one connection is not one of the others. */
  const guard = (action: () => void): void => {
    try {
      action();
    } catch (thrown) {
      log.error(thrown instanceof Error && thrown.stack !== undefined ? thrown.stack : String(thrown));
      connection.close('the hub failed on its packet');
    }
  };

  const framer = createFramer(MAX_PACKET_BYTES, {
    publish: (bytes, start, topicAt, end) => {
      heard = true;
      return connection.express.take(bytes, start, topicAt, end);
    },
    packet: packet => {
      connection.express.flush();
      heard = true;
      if (held === undefined) take(packet);
      else held.push(packet);
    },
    broken: (reason, unknownVersion) => {
      connection.express.flush();
      // MQTT 3.1.1, 3.1.2-2.
      if (unknownVersion && connection.session === undefined) {
        const returnCode = CONNACK.unacceptableVersion;
        connection.send({ cmd: 'connack', returnCode, sessionPresent: false });
      }
      connection.close(reason);
    },
  });
  const receive = (chunk: Buffer): void => {
    if (!begun && chunk[0] !== CONNECT_HEADER) {
      connection.close('it does not begin with CONNECT');
      return;
    }
    begun = true;
    framer.push(chunk);
    connection.express.flush();
    if (heard) lastPacket = clock.monotonic();
    heard = false;
    if (connection.receipts.owed() > MAX_UNSETTLED) socket.pause();
  };
  socket.on('data', (chunk: Buffer) => guard(() => receive(chunk)));
  socket.on('drain', () => connection.delivery.wake());
  socket.on('error', (error: Error) => connection.close(error.message));
  socket.on('close', () => connection.close(undefined));

  const watch = (): void => {
    // What is not read is not heard: the silence is ours then.
    const left = socket.isPaused() ? patience : lastPacket + patience - clock.monotonic();
    if (connection.session === undefined) connection.close('no CONNECT came in time');
    else if (left <= 0) connection.close('its keep-alive ran out');
    else cancelWatch = clock.after(left, watch);
  };
  let cancelWatch = clock.after(CONNECT_TIMEOUT, watch);
  return connection;
}

function nameOf({ session, peer }: Connection): string {
  return session === undefined ? `an unknown client (${peer.address})` : `client "${session.clientId}"`;
}

/** Parts a connection from its session: the will goes out, a clean session ends. */
function leave(connection: Connection): void {
  const { session, will, delivery, context } = connection;
  delivery.stop();
  if (session === undefined || session.connection !== connection) return;
  session.connection = undefined;
  if (!session.persistent) context.sessions.discard(session, () => {});
  if (will === undefined) return;
  context.host.publish(will, error => {
    if (error !== undefined) context.counts.dropped++;
  });
}
