import { CLOSE_LINGER, CONNECT_TIMEOUT, MAX_PACKET_BYTES, MAX_UNSETTLED } from '../core/limits.ts';
import type { Output } from '../core/output.ts';
import { createOutput } from '../core/output.ts';
import { acknowledgementSize, writeAcknowledgement } from '../mqtt/acknowledgement.ts';
import { encodeConnack, encodeDisconnect } from '../mqtt/packets.ts';
import type { Publish } from '../mqtt/publish.ts';
import type { Fault } from '../mqtt/reasons.ts';
import { fault, REASON } from '../mqtt/reasons.ts';
import type { Request } from '../mqtt/requests/index.ts';
import { createServerFramer } from '../mqtt/server.ts';
import type { Version } from '../mqtt/version.ts';
import { acknowledge, handle } from './handlers/index.ts';
import type { InboundAliases } from './inbound/aliases.ts';
import type { Receipts } from './inbound/receipts.ts';
import { createReceipts } from './inbound/receipts.ts';
import type { ClientSocket, Peer } from './listeners/socket.ts';
import type { OutboundAliases } from './outbound/aliases.ts';
import type { Express } from './outbound/express.ts';
import type { Session } from './sessions/session.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { Will } from './sessions/wills.ts';
import { publishWill } from './sessions/wills.ts';
import type { Sys } from './sys.ts';
import type { BrokerCounts, BrokerSettings } from './types.ts';

/** The first byte of the one packet a connection may begin with [MQTT-3.1.0-1]. */
const CONNECT_HEADER = 0x10;

/** What all connections of one broker share. */
export type BrokerContext = BrokerSettings & {
  readonly sessions: Sessions;
  readonly counts: BrokerCounts;
  /** What is retained for subscribers: the host's, and what the broker says of itself. */
  readonly retained: Sys['retained'];
};

/** One network connection, from its first byte on. */
export type Connection = {
  readonly context: BrokerContext;
  readonly peer: Peer;
  readonly output: Output;
  readonly receipts: Receipts;
  /** What only some clients need is made for them: most are idle, and there may be thousands. */
  express: Express | undefined;
  inboundAliases: InboundAliases | undefined;
  /** What CONNECT says of the client; until then as if it had said nothing. */
  version: Version;
  maximumPacketSize: number;
  /** Undefined: the client takes no topic aliases. */
  aliases: OutboundAliases | undefined;
  /** Undefined until CONNECT was accepted. */
  session: Session | undefined;
  will: Will | undefined;
  closed: boolean;
  /** Takes in nothing more until `resume`: who the client is must be known first, or its receiver must catch up. */
  readonly hold: () => void;
  readonly resume: () => void;
  /** Set while something waits for the socket to take more; called when it does. */
  onDrained: (() => void) | undefined;
  /** From now on the connection is closed after so many milliseconds without a packet; 0: never. */
  readonly keepAlive: (milliseconds: number) => void;
  readonly send: (packet: Buffer) => void;
  readonly acknowledge: (type: number, packetId: number, reasonCode: number) => void;
  /** Ends it after what was sent is out. A fault is logged, and told to a client of MQTT 5; without one it is the client's will. */
  readonly close: (fault: Fault | undefined) => void;
};

/** Serves `socket` as a client of the broker. */
export function openConnection(context: BrokerContext, socket: ClientSocket, peer: Peer): Connection {
  const { clock, log } = context;
  const output = createOutput(socket);
  let lastPacket = clock.monotonic();
  let begun = false;
  let heard = false;
  let patience = 0;
  let held: (() => void)[] | undefined;

  const settled = (): void => {
    if (held === undefined && socket.isPaused() && connection.receipts.owed() < MAX_UNSETTLED / 2)
      socket.resume();
  };

  /** Does what the client asks for, or keeps it until that may be. */
  const perform = (action: () => void): void => {
    if (held === undefined) action();
    else held.push(action);
  };

  /** A fault of ours in one connection is not one of the others. */
  const guard = (action: () => void): void => {
    try {
      action();
    } catch (thrown) {
      log.error(thrown instanceof Error && thrown.stack !== undefined ? thrown.stack : String(thrown));
      connection.close(fault(REASON.unspecifiedError, 'the hub failed on its packet'));
    }
  };

  const connection: Connection = {
    context,
    peer,
    output,
    receipts: createReceipts((type, packetId, code) => connection.acknowledge(type, packetId, code), settled),
    express: undefined,
    inboundAliases: undefined,
    version: 4,
    maximumPacketSize: Number.POSITIVE_INFINITY,
    aliases: undefined,
    session: undefined,
    will: undefined,
    closed: false,
    hold: () => {
      held ??= [];
      socket.pause();
    },
    resume: () => {
      const actions = held ?? [];
      held = undefined;
      guard(() => {
        for (const action of actions) perform(action);
      });
      settled();
    },
    onDrained: undefined,
    keepAlive: milliseconds => {
      patience = milliseconds;
      cancelWatch();
      if (patience > 0) cancelWatch = clock.after(patience, watch);
    },
    send: packet => {
      if (!connection.closed) output.write(packet);
    },
    acknowledge: (type, packetId, reasonCode) => {
      if (connection.closed) return;
      const { version } = connection;
      const at = output.place(acknowledgementSize(reasonCode, version));
      writeAcknowledgement(output.slab(), at, type, packetId, reasonCode, version);
    },
    close: why => {
      if (connection.closed) return;
      if (why !== undefined && why.reason !== '')
        log.warn(`Closed the connection of ${nameOf(connection)}: ${why.reason}.`);
      // [MQTT-3.1.2-24] and 4.13: what was wrong is said before the end.
      if (why !== undefined && why !== LOST && connection.session !== undefined && connection.version === 5)
        connection.send(encodeDisconnect(why.code, why.reason, connection.maximumPacketSize));
      connection.closed = true;
      framer.stop();
      cancelWatch();
      output.flush();
      socket.destroySoon();
      const cancel = clock.after(CLOSE_LINGER, () => socket.destroy());
      socket.once('close', cancel);
      leave(connection);
    },
  };
  const take = (packet: Publish | Request): void => {
    if (connection.closed) return;
    const wrong = handle(connection, packet);
    if (wrong !== undefined) connection.close(wrong);
  };

  const refuse = (wrong: Fault): void => {
    // [MQTT-3.1.2-2]
    if (wrong.code === REASON.unsupportedProtocolVersion && connection.session === undefined)
      connection.send(encodeConnack(4, wrong.code, false));
    connection.close(wrong);
  };

  const framer = createServerFramer(MAX_PACKET_BYTES, {
    publish: (bytes, start, topicAt, end) => {
      heard = true;
      return held === undefined && connection.express?.take(connection, bytes, start, topicAt, end) === true;
    },
    acknowledged: (type, packetId, reasonCode) => {
      connection.express?.flush();
      heard = true;
      if (connection.closed) return;
      const wrong = acknowledge(connection, type, packetId, reasonCode);
      if (wrong !== undefined) connection.close(wrong);
    },
    packet: packet => {
      connection.express?.flush();
      heard = true;
      if (held === undefined) take(packet);
      else perform(() => take(packet));
    },
    broken: wrong => {
      connection.express?.flush();
      perform(() => refuse(wrong));
    },
  });

  const receive = (chunk: Buffer): void => {
    if (!begun && chunk[0] !== CONNECT_HEADER) {
      connection.close(fault(REASON.protocolError, 'it does not begin with CONNECT'));
      return;
    }
    begun = true;
    framer.push(chunk);
    connection.express?.flush();
    if (heard) lastPacket = clock.monotonic();
    heard = false;
    if (connection.receipts.owed() > MAX_UNSETTLED) socket.pause();
  };
  socket.on('data', (chunk: Buffer) => guard(() => receive(chunk)));
  socket.on('drain', () => {
    connection.onDrained?.();
    connection.session?.delivery?.wake();
  });
  socket.on('error', (error: Error) => connection.close(fault(REASON.unspecifiedError, error.message)));
  socket.on('close', () => connection.close(LOST));

  const watch = (): void => {
    // What is not read is not heard: the silence is ours then, unless it is the client that does not read.
    const ours = socket.isPaused() && connection.onDrained === undefined;
    const left = ours ? patience : lastPacket + patience - clock.monotonic();
    if (connection.session === undefined)
      connection.close(fault(REASON.unspecifiedError, 'no CONNECT came in time'));
    else if (left <= 0) connection.close(fault(REASON.keepAliveTimeout, 'its keep-alive ran out'));
    else cancelWatch = clock.after(left, watch);
  };
  let cancelWatch = clock.after(CONNECT_TIMEOUT, watch);
  return connection;
}

/** The client is gone without a word: nothing to log, nobody to tell. */
const LOST = fault(REASON.success, '');

function nameOf({ session, peer }: Connection): string {
  return session === undefined ? `an unknown client at ${peer.address}` : `client "${session.clientId}"`;
}

/** Parts a connection from its session: the will goes out, the session ends or begins to wait. */
function leave(connection: Connection): void {
  const { session, will, context } = connection;
  if (session === undefined || session.connection !== connection) return;
  session.connection = undefined;
  session.delivery?.stop();
  session.delivery = undefined;
  if (will !== undefined) publishWill(context, session, will);
  context.sessions.left(session);
}
