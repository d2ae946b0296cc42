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
import { canSend } from '../outbound/transmit.ts';
import type { Connection, ListenerClients } from './connection.ts';
import { leaveSession } from './leave-session.ts';
import { peerFields } from './peer-fields.ts';

/** Creates the connection of an accepted socket, and handles its packets. */
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
  /**
   * True after the first byte of the connection was checked. This byte must be the first byte of a CONNECT.
   */
  let firstByteChecked = false;
  /** True after CONNECT has arrived. */
  let connectReceived = false;
  /** True if the current chunk has completed a packet. */
  let packetReceived = false;
  /** Keep-alive timeout in milliseconds. 0 means no timeout. */
  let timeout = 0;
  /**
   * Number of calls of `pause` minus the number of calls of `resume`. The connection is paused while the
   * difference is greater than 0.
   */
  let pauseCount = 0;
  let cancelKeepAlive: Cancel = () => {};
  /** Callbacks that wait for space in the output buffer. */
  let waiting: (() => void)[] = [];
  /**
   * True while the connection is paused because MAX_PENDING_PUBLISHES of its messages are not durable yet.
   */
  let pausedForAcks = false;

  const acksChanged = (): void => {
    if (!pausedForAcks || connection.acks.pending() >= MAX_PENDING_PUBLISHES / 2) return;
    pausedForAcks = false;
    connection.resume();
  };

  /** Calls `action`, and closes the connection after an exception. */
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
    acks: createAckQueue((type, packetId, code) => connection.acknowledge(type, packetId, code), acksChanged),
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
      guard(handleBuffered);
      if (pauseCount === 0 && !connection.closed) socket.resume();
    },
    closeForMemory: () => connection.close(TOO_LARGE),
    fail: thrown => {
      noteException(log, 'a connection', thrown, peerFields(connection));
      connection.close(protocolError(REASON.unspecifiedError, 'an internal error occurred in the hub'));
    },
    whenDrained: resume => {
      waiting.push(resume);
    },
    keepAlive: milliseconds => {
      timeout = milliseconds;
      cancelKeepAlive();
      if (timeout > 0) cancelKeepAlive = clock.after(timeout, checkKeepAlive);
    },
    send: packet => {
      if (connection.closed) return;
      // The broker must not send a packet that exceeds the client's Maximum Packet Size [MQTT-3.1.2-24].
      if (packet.length <= connection.maximumPacketSize) output.write(packet);
      else
        connection.close(
          protocolError(REASON.packetTooLarge, "an answer exceeds the client's Maximum Packet Size"),
        );
    },
    acknowledge: (type, packetId, reasonCode) => {
      if (connection.closed) return;
      const { version } = connection;
      const at = output.place(acknowledgementSize(reasonCode, version));
      writeAcknowledgement(output.slab(), at, type, packetId, reasonCode, version);
    },
    close: (fault, reason = fault?.reason ?? '') => {
      if (connection.closed) return;
      const event = connection.session === undefined ? 'Refused' : 'Closed';
      if (reason !== '') log.warn(`${event} a connection: ${reason}.`, peerFields(connection));
      // An MQTT 5 client receives the reason in DISCONNECT (MQTT 5, 4.13). DISCONNECT must not exceed the
      // client's Maximum Packet Size [MQTT-3.1.2-24].
      if (
        fault !== undefined &&
        fault !== LOST &&
        connection.session !== undefined &&
        connection.version === 5
      )
        connection.send(encodeDisconnect(fault.code, fault.reason, connection.maximumPacketSize));
      connection.closed = true;
      arrival.closing();
      framer.stop();
      context.incompletePackets.set(connection, 0);
      context.publishers.delete(connection);
      cancelKeepAlive();
      output.flush();
      if (fault === undefined || fault === LOST) closeSoon(socket, clock);
      else closeLingering(socket, clock);
      try {
        leaveSession(connection);
      } catch (thrown) {
        noteException(log, 'the end of a connection', thrown, peerFields(connection));
      }
    },
  };

  /** Closes the connection after a packet that could not be parsed. */
  const closeAfterParseError = (fault: ProtocolError): void => {
    // An unsupported protocol version is answered with CONNACK [MQTT-3.1.2-2].
    if (fault.code === REASON.unsupportedProtocolVersion && connection.session === undefined)
      connection.send(encodeConnack(4, fault.code, false));
    connection.close(fault);
  };

  /**
   * Pauses the connection. `until` receives the function that ends the pause. The current packet is handled
   * after the pause.
   */
  const pauseUntil = (until: (resume: () => void) => void): 'later' => {
    connection.fastPath?.flush();
    connection.pause();
    until(connection.resume);
    return 'later';
  };

  const { packetSize } = context.host.limits();
  const framer = createServerFramer(Math.min(packetSize, MAX_CONNECT_BYTES), packetSize, {
    publish: (bytes, start, topicAt, end) => {
      packetReceived = true;
      if (!canSend(connection)) return pauseUntil(connection.whenDrained);
      if (connection.fastPath?.tryForward(connection, bytes, start, topicAt, end) === true) return 'passed';
      // Back-pressure: further messages stay in the socket while the store cannot accept them.
      if (pressure.high()) return pauseUntil(pressure.whenLow);
      context.publishers.add(connection);
      if (connection.version === 5 || connection.acks.pending() < MAX_PENDING_PUBLISHES) return 'read';
      pausedForAcks = true;
      return pauseUntil(() => {});
    },
    other: stored => {
      // While the client does not read the answers of the broker, packets of the client are not handled.
      if (!canSend(connection)) return pauseUntil(connection.whenDrained);
      return stored && pressure.high() ? pauseUntil(pressure.whenLow) : 'read';
    },
    acknowledged: (type, packetId, reasonCode) => {
      connection.fastPath?.flush();
      packetReceived = true;
      if (connection.closed) return;
      const fault = acknowledge(connection, type, packetId, reasonCode);
      if (fault !== undefined) connection.close(fault);
    },
    packet: packet => {
      connection.fastPath?.flush();
      packetReceived = true;
      if (!connectReceived) arrival.connectReceived();
      connectReceived = true;
      if (connection.closed) return;
      const fault = handle(connection, packet);
      if (fault !== undefined) connection.close(fault);
    },
    broken: fault => {
      connection.fastPath?.flush();
      closeAfterParseError(fault);
    },
  });

  /** Handles the packets that the framer has buffered during a pause. */
  const handleBuffered = (): void => {
    framer.resume();
    connection.fastPath?.flush();
  };

  /** Handles the packets of a chunk from the socket. */
  const receive = (chunk: Buffer): void => {
    if (!firstByteChecked && chunk[0] !== CONNECT_HEADER) {
      connection.close(protocolError(REASON.protocolError, 'its first packet is not CONNECT'));
      return;
    }
    firstByteChecked = true;
    framer.push(chunk);
    connection.fastPath?.flush();
    if (packetReceived) lastPacket = clock.monotonic();
    packetReceived = false;
    if (!connectReceived) arrival.setBuffered(framer.kept());
    // Counts the buffered bytes only if the connection is not paused. During a pause, the buffer contains
    // complete packets, which must not be counted.
    else if (pauseCount === 0) context.incompletePackets.set(connection, framer.kept());
  };
  socket.on('data', (chunk: Buffer) => {
    context.host.countInput(chunk.length);
    if (!connection.closed) guard(() => receive(chunk));
  });
  /** Called when the output buffer has space again. Continues the work that has waited for this space. */
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

  const checkKeepAlive = (): void => {
    // While the broker has paused the socket, the keep-alive does not expire. Exception: the keep-alive does
    // expire if the socket is paused because the client does not read the output of the broker.
    const pausedByBroker = socket.isPaused() && waiting.length === 0;
    const left = pausedByBroker ? timeout : lastPacket + timeout - clock.monotonic();
    if (left <= 0) connection.close(protocolError(REASON.keepAliveTimeout, 'the keep-alive timeout expired'));
    else cancelKeepAlive = clock.after(left, checkKeepAlive);
  };
  return connection;
}

/**
 * Argument of `close` if the connection was closed without DISCONNECT. This reason is neither logged nor
 * sent.
 */
const LOST = protocolError(REASON.success, '');
/** DISCONNECT reason if the incomplete packets of all clients exceed their maximum memory. */
const TOO_LARGE = protocolError(
  REASON.quotaExceeded,
  'the incomplete packets of all clients exceed their memory limit',
);
