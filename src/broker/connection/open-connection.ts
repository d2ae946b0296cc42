import type { Cancel } from '../../core/clock.ts';
import { noteException } from '../../core/containment.ts';
import { createOutput } from '../../core/net/output.ts';
import { acknowledgementSize, writeAcknowledgement } from '../../mqtt/acknowledgement.ts';
import { encodeConnack, encodeDisconnect } from '../../mqtt/packets.ts';
import { type ProtocolError, protocolError, REASON } from '../../mqtt/reasons.ts';
import { CONNECT_HEADER, createServerFramer } from '../../mqtt/server.ts';
import type { BrokerContext } from '../context.ts';
import { acknowledge, handle } from '../handlers/index.ts';
import { createAckQueue } from '../inbound/ack-queue.ts';
import { MAX_CONNECT_BYTES, MAX_PENDING_PUBLISHES } from '../limits.ts';
import type { Arrival } from '../listeners/gate.ts';
import { closeLingering, closeSoon } from '../listeners/linger.ts';
import type { ClientSocket, Peer } from '../listeners/socket.ts';
import { keepsUp } from '../outbound/transmit.ts';
import type { Connection, ListenerClients } from './connection.ts';
import { leaveSession } from './leave-session.ts';
import { peerFields } from './peer-fields.ts';

/** Serves `socket` as a client of the broker. */
export function openConnection(
  context: BrokerContext,
  socket: ClientSocket,
  peer: Peer,
  arrival: Arrival,
  listener: ListenerClients,
): Connection {
  const { clock, log } = context;
  const { pressure } = context.host;
  const output = createOutput(socket, context.outgoing, () => drained());
  let lastPacket = clock.monotonic();
  let begun = false;
  let entered = false;
  let heard = false;
  let timeout = 0;
  let pauseCount = 0;
  let cancelWatch: Cancel = () => {};
  /** Callbacks that wait for the socket to become writable. */
  let waiting: (() => void)[] = [];
  /** True while paused because MAX_PENDING_PUBLISHES messages are not durable yet. */
  let unsettled = false;

  const settled = (): void => {
    if (!unsettled || connection.acks.pending() >= MAX_PENDING_PUBLISHES / 2) return;
    unsettled = false;
    connection.resume();
  };

  const guard = (action: () => void): void => {
    try {
      action();
    } catch (thrown) {
      connection.fail(thrown);
    }
  };

  const connection: Connection = {
    context,
    peer,
    listener,
    output,
    acks: createAckQueue((type, packetId, code) => connection.acknowledge(type, packetId, code), settled),
    fastPath: undefined,
    inboundAliases: undefined,
    retained: undefined,
    version: 4,
    bridge: false,
    maximumPacketSize: Number.POSITIVE_INFINITY,
    aliases: undefined,
    session: undefined,
    claimed: undefined,
    will: undefined,
    closed: false,
    pause: () => {
      pauseCount++;
      framer.pause();
      socket.pause();
    },
    resume: () => {
      pauseCount--;
      if (pauseCount > 0 || connection.closed) return;
      guard(cut);
      if (pauseCount === 0 && !connection.closed) socket.resume();
    },
    closeForMemory: () => connection.close(TOO_LARGE),
    fail: thrown => {
      noteException(log, 'a connection', thrown, peerFields(connection));
      connection.close(protocolError(REASON.unspecifiedError, 'the hub failed on its packet'));
    },
    whenDrained: resume => {
      waiting.push(resume);
    },
    keepAlive: milliseconds => {
      timeout = milliseconds;
      cancelWatch();
      if (timeout > 0) cancelWatch = clock.after(timeout, watch);
    },
    send: packet => {
      if (connection.closed) return;
      // [MQTT-3.1.2-24]
      if (packet.length <= connection.maximumPacketSize) output.write(packet);
      else
        connection.close(
          protocolError(REASON.packetTooLarge, 'an answer is larger than its Maximum Packet Size'),
        );
    },
    acknowledge: (type, packetId, reasonCode) => {
      if (connection.closed) return;
      const { version } = connection;
      const at = output.place(acknowledgementSize(reasonCode, version));
      writeAcknowledgement(output.slab(), at, type, packetId, reasonCode, version);
    },
    close: (why, reason = why?.reason ?? '') => {
      if (connection.closed) return;
      const event = connection.session === undefined ? 'Refused' : 'Closed';
      if (reason !== '') log.warn(`${event} a connection: ${reason}.`, peerFields(connection));
      // [MQTT-3.1.2-24] and 4.13: DISCONNECT carries the reason.
      if (why !== undefined && why !== LOST && connection.session !== undefined && connection.version === 5)
        connection.send(encodeDisconnect(why.code, why.reason, connection.maximumPacketSize));
      connection.closed = true;
      arrival.leaves();
      framer.stop();
      context.partials.set(connection, 0);
      context.publishers.delete(connection);
      cancelWatch();
      output.flush();
      if (why === undefined || why === LOST) closeSoon(socket, clock);
      else closeLingering(socket, clock);
      try {
        leaveSession(connection);
      } catch (thrown) {
        noteException(log, 'the end of a connection', thrown, peerFields(connection));
      }
    },
  };

  const refuse = (wrong: ProtocolError): void => {
    // [MQTT-3.1.2-2]
    if (wrong.code === REASON.unsupportedProtocolVersion && connection.session === undefined)
      connection.send(encodeConnack(4, wrong.code, false));
    connection.close(wrong);
  };

  const holdFor = (until: (resume: () => void) => void): 'later' => {
    connection.fastPath?.flush();
    connection.pause();
    until(connection.resume);
    return 'later';
  };

  const { packetSize } = context.host.limits();
  const framer = createServerFramer(Math.min(packetSize, MAX_CONNECT_BYTES), packetSize, {
    publish: (bytes, start, topicAt, end) => {
      heard = true;
      if (!keepsUp(connection)) return holdFor(connection.whenDrained);
      if (connection.fastPath?.tryForward(connection, bytes, start, topicAt, end) === true) return 'passed';
      // Back-pressure: what the store cannot accept yet stays in the socket.
      if (pressure.high()) return holdFor(pressure.whenLow);
      context.publishers.add(connection);
      if (connection.version === 5 || connection.acks.pending() < MAX_PENDING_PUBLISHES) return 'read';
      unsettled = true;
      return holdFor(() => {});
    },
    other: stored => {
      // A client that does not read its answers is not read either.
      if (!keepsUp(connection)) return holdFor(connection.whenDrained);
      return stored && pressure.high() ? holdFor(pressure.whenLow) : 'read';
    },
    acknowledged: (type, packetId, reasonCode) => {
      connection.fastPath?.flush();
      heard = true;
      if (connection.closed) return;
      const wrong = acknowledge(connection, type, packetId, reasonCode);
      if (wrong !== undefined) connection.close(wrong);
    },
    packet: packet => {
      connection.fastPath?.flush();
      heard = true;
      if (!entered) arrival.entered();
      entered = true;
      if (connection.closed) return;
      const wrong = handle(connection, packet);
      if (wrong !== undefined) connection.close(wrong);
    },
    broken: wrong => {
      connection.fastPath?.flush();
      refuse(wrong);
    },
  });

  /** Handles the packets that the framer has buffered. */
  const cut = (): void => {
    framer.resume();
    connection.fastPath?.flush();
  };

  const receive = (chunk: Buffer): void => {
    if (!begun && chunk[0] !== CONNECT_HEADER) {
      connection.close(protocolError(REASON.protocolError, 'its first packet is not CONNECT'));
      return;
    }
    begun = true;
    framer.push(chunk);
    connection.fastPath?.flush();
    if (heard) lastPacket = clock.monotonic();
    heard = false;
    if (!entered) arrival.keeps(framer.kept());
    // Data that is buffered while the client is paused does not count as an incomplete packet.
    else if (pauseCount === 0) context.partials.set(connection, framer.kept());
  };
  socket.on('data', (chunk: Buffer) => {
    context.host.countInput(chunk.length);
    if (!connection.closed) guard(() => receive(chunk));
  });
  const drained = (): void =>
    guard(() => {
      const resumed = waiting;
      waiting = [];
      for (const resume of resumed) resume();
      connection.session?.delivery?.wake();
    });
  socket.on('error', (error: Error) =>
    connection.close(protocolError(REASON.unspecifiedError, error.message)),
  );
  socket.on('close', output.measure);
  socket.on('close', () => connection.close(LOST));

  const watch = (): void => {
    // Time in which the hub does not read the socket does not count for the keep-alive, unless the client
    // itself does not read.
    const ours = socket.isPaused() && waiting.length === 0;
    const left = ours ? timeout : lastPacket + timeout - clock.monotonic();
    if (left <= 0) connection.close(protocolError(REASON.keepAliveTimeout, 'its keep-alive ran out'));
    else cancelWatch = clock.after(left, watch);
  };
  return connection;
}

/** The client closed without DISCONNECT: nothing to log, nobody to notify. */
const LOST = protocolError(REASON.success, '');
/** Reason for the oldest incomplete packet when their sum exceeds the memory bound. */
const TOO_LARGE = protocolError(REASON.quotaExceeded, 'incomplete packets take too much memory');
