import type { Cancel } from '../../core/clock.ts';
import { Failure, reasonOf } from '../../core/errors.ts';
import { CLOSE_LINGER_MS, MAX_PACKET_BYTES, MAX_SOCKET_BACKLOG_BYTES } from '../../core/limits.ts';
import type { Message } from '../../core/message.ts';
import { createOutput } from '../../core/net/output.ts';
import { createSocketMemory } from '../../core/net/socket-memory.ts';
import type { Acknowledged } from '../../mqtt/acknowledgement.ts';
import { acknowledgementSize, writeAcknowledgement } from '../../mqtt/acknowledgement.ts';
import type { Connack } from '../../mqtt/answers/connack.ts';
import type { Answer } from '../../mqtt/client.ts';
import { createClientFramer } from '../../mqtt/client.ts';
import type { Packet } from '../../mqtt/packets.ts';
import { encode } from '../../mqtt/packets.ts';
import type { Publish } from '../../mqtt/read-publish.ts';
import { REASON } from '../../mqtt/reasons.ts';
import type { PublishOptions } from '../../mqtt/write-publish.ts';
import { publishSize, writePublish } from '../../mqtt/write-publish.ts';
import { addressText } from '../addresses.ts';
import { contain } from '../contained.ts';
import { MAX_UNREQUESTED_ANSWERS, SIGN_OF_LIFE_BYTES, UPSTREAM_CONNECT_TIMEOUT_MS } from '../limits.ts';
import { causeOf } from '../messages/verdict.ts';
import type { LinkSettings } from './connect-packet.ts';
import { connectPacket } from './connect-packet.ts';
import { dialPlain } from './dial.ts';
import { reasonText, refusalText, troubleOf } from './error-texts.ts';
import type { KeepAlive } from './keep-alive.ts';
import { keepAliveOf, startKeepAlive } from './keep-alive.ts';

/**
 * Cause of the end of a link (MQTT connection to a server). `asked`: the client closed the link. `version`:
 * the server does not support this MQTT version. `silent`: the server closed the connection before CONNACK.
 * `ended`: the server closed an accepted connection. `blamed`: the server rejected a packet. `qos`: the
 * server does not support the QoS. `unanswered`: the server acknowledged nothing. `lost`: any other cause.
 */
export type Cause = 'asked' | 'version' | 'silent' | 'ended' | 'blamed' | 'qos' | 'unanswered' | 'lost';

export type LinkHandler = {
  /** Called when the server has accepted the CONNECT. */
  readonly opened: (terms: Connack) => void;
  readonly packet: (packet: Publish | Answer) => void;
  readonly acknowledged: Acknowledged;
  /** Called when the socket is writable again. */
  readonly writable: () => void;
  /** Called once when the link is closed. `failure` is undefined if the client closed the link by `close`. */
  readonly closed: (failure: Failure | undefined, cause: Cause) => void;
  /**
   * Called when the socket is closed. If the client closed the link by `close`, the operating system has
   * accepted all sent bytes by this time.
   */
  readonly gone?: () => void;
  /**
   * Called when an exception in a callback ends the link. If `threw` is undefined, the exception is rethrown.
   */
  readonly threw?: (thrown: unknown) => void;
};

/**
 * Result of `Link.publish`. `full`: the socket's write buffer is full. `tooLarge`: the packet exceeds the
 * server's Maximum Packet Size.
 */
export type PublishOutcome = 'sent' | 'full' | 'tooLarge';

/** MQTT connection to a server, from the client's side. */
export type Link = {
  readonly send: (packet: Packet) => void;
  readonly publish: (message: Message, dispatch: PublishOptions) => PublishOutcome;
  readonly acknowledge: (type: number, packetId: number) => void;
  /** Pauses (`true`) or resumes (`false`) reading from the socket. */
  readonly hold: (held: boolean) => void;
  /** Returns the monotonic time since which the socket is read. Undefined while reading is paused. */
  readonly readingSince: () => number | undefined;
  /** Sends PINGREQ after all earlier packets. Calls `answered` when the matching PINGRESP arrives. */
  readonly ping: (answered: () => void) => void;
  /** Counts an unexpected acknowledgement. Ends the link if more than MAX_UNREQUESTED_ANSWERS arrive. */
  readonly unrequested: (what: string) => void;
  /** Ends the link because of a protocol error or a timeout. */
  readonly fail: (reason: string, cause?: Cause) => void;
  /** Returns the total number of bytes that were sent and received. */
  readonly traffic: () => number;
  readonly close: () => void;
};

/** Maximum bytes of an MQTT packet, including the fixed header (MQTT 5, 1.5.5). */
const MAX_MQTT_PACKET_BYTES = 0xfff_ffff + 5;

/**
 * Connects to an MQTT server. If the connection fails, calls `handler.closed` with a Failure
 * `upstream.unreachable` or `upstream.refused`.
 */
export function openLink(settings: LinkSettings, handler: LinkHandler): Link {
  const { host, port, clock, version, dial = dialPlain } = settings;
  const address = addressText(settings);
  const threw = handler.threw ?? rethrow;
  let keepAliveTimer: KeepAlive | undefined;
  let terms: Connack | undefined;
  let connectSent = false;
  let ended = false;
  /**
   * Number of sent PINGREQs. Several PINGREQs can be unanswered, because the hub also sends PINGREQ while
   * reading is paused.
   */
  let pings = 0;
  /** Number of received PINGRESPs. */
  let pongs = 0;
  /** Callbacks for expected PINGRESPs, by PINGREQ. The n-th PINGRESP on the link answers the n-th PINGREQ. */
  const awaitedPongs: { readonly ping: number; readonly answered: () => void }[] = [];
  let unrequestedAnswers = 0;
  /** Bytes received since the last complete packet. */
  let incompleteBytes = 0;
  let readingSince: number | undefined = clock.monotonic();
  let paused = false;

  const end = (failure: Failure | undefined, cause: Cause): void => {
    if (ended) return;
    ended = true;
    stopWaiting();
    keepAliveTimer?.stop();
    framer.stop();
    if (failure === undefined) socket.destroySoon();
    else socket.destroy();
    const cancel = clock.after(CLOSE_LINGER_MS, () => socket.destroy());
    socket.once('close', () => {
      cancel();
      handler.gone?.();
    });
    contain(handler.closed, threw)(failure, cause);
  };
  /** Wraps a callback of this link. If the callback throws an exception, only this link is closed. */
  const contained = <Args extends unknown[]>(action: (...args: Args) => void): ((...args: Args) => void) =>
    contain(action, thrown => {
      threw(thrown);
      failLink(`an internal error of this hub (${reasonOf(thrown)})`);
    });
  const failLink = (reason: string, cause: Cause = 'lost'): void =>
    end(new Failure('upstream.unreachable', `The connection to ${address} failed: ${reason}.`), cause);
  const endRefused = (reason: string, cause: Cause): void =>
    end(new Failure('upstream.refused', `${address} refused the connection: ${reason}.`), cause);
  /**
   * Handles the end of a connection that the server has closed. A close before CONNACK possibly means that
   * the server does not support MQTT 5.
   */
  const closedByServer = (reason: string): void =>
    failLink(reason, terms !== undefined ? 'ended' : connectSent ? 'silent' : 'lost');

  const sendConnect = contained(() => {
    if (ended) return;
    connectSent = true;
    stopWaiting();
    stopWaiting = waitFor('CONNACK');
    write(encode(connectPacket(settings), version));
  });
  const socket = dial(host, port, sendConnect);
  const output = createOutput(socket, createSocketMemory(2 * MAX_SOCKET_BACKLOG_BYTES), () => onDrain());
  const write = (bytes: Buffer): void => {
    if (ended) return;
    keepAliveTimer?.said();
    output.write(bytes);
  };

  const handleConnack = (packet: Publish | Answer): void => {
    if (packet.cmd !== 'connack') failLink('the server does not speak MQTT');
    else if (packet.reasonCode === REASON.success) {
      terms = packet;
      stopWaiting();
      keepAlive(keepAliveOf(packet.serverKeepAlive, settings.keepAlive));
      handler.opened(packet);
    } else {
      const isVersion = packet.reasonCode === REASON.unsupportedProtocolVersion;
      endRefused(
        refusalText(packet.reasonCode, packet.reasonString, version),
        isVersion ? 'version' : 'lost',
      );
    }
  };
  const receive = (packet: Publish | Answer): void => {
    if (ended) return;
    if (terms === undefined) handleConnack(packet);
    else if (packet.cmd === 'disconnect') {
      const reason = reasonText(packet.reasonCode, packet.reasonString);
      failLink(`the server disconnected: ${reason}`, causeOf(packet.reasonCode));
    } else if (packet.cmd === 'connack') failLink('the server sent a second CONNACK');
    else if (packet.cmd !== 'pingresp') handler.packet(packet);
    else if (pongs === pings) unrequested('PINGRESP');
    else handlePingresp();
  };
  const handlePingresp = (): void => {
    pongs++;
    if (awaitedPongs[0]?.ping === pongs) awaitedPongs.shift()?.answered();
  };
  const unrequested = (what: string): void => {
    unrequestedAnswers++;
    if (unrequestedAnswers > MAX_UNREQUESTED_ANSWERS)
      failLink(`the server sent ${unrequestedAnswers} unexpected acknowledgements, the last one ${what}`);
  };
  const framer = createClientFramer(MAX_PACKET_BYTES, version, {
    packet: packet => {
      incompleteBytes = 0;
      receive(packet);
    },
    acknowledged: (type, packetId, reasonCode) => {
      incompleteBytes = 0;
      if (ended) return;
      if (terms === undefined) failLink('the server does not speak MQTT');
      else handler.acknowledged(type, packetId, reasonCode);
    },
    broken: ({ reason }) => failLink(reason),
  });

  const keepAlive = (seconds: number): void => {
    if (seconds === 0) return;
    keepAliveTimer = startKeepAlive({
      clock,
      milliseconds: seconds * 1000,
      waiting: output.waiting,
      readingSince: () => readingSince,
      ping,
      dead: silence => failLink(`keep-alive timeout, nothing received for ${Math.round(silence / 1000)} s`),
    });
  };
  const ping = (answered?: () => void): void => {
    pings++;
    if (answered !== undefined) awaitedPongs.push({ ping: pings, answered });
    write(encode({ cmd: 'pingreq' }));
  };
  const waitFor = (what: string): Cancel =>
    clock.after(UPSTREAM_CONNECT_TIMEOUT_MS, () =>
      failLink(`no ${what} for ${UPSTREAM_CONNECT_TIMEOUT_MS / 1000} s`),
    );
  let stopWaiting = waitFor('connection');

  /**
   * Pauses or resumes reading. Reading is paused while the write buffer is full. Otherwise the hub's answers
   * would accumulate in memory if the server sends packets and does not read.
   */
  const updateReading = (): void => {
    const full = readingSince === undefined || output.isFull();
    if (full === paused || ended) return;
    paused = full;
    if (full) socket.pause();
    else socket.resume();
  };

  const receiveBytes = (chunk: Buffer): void => {
    incompleteBytes += chunk.length;
    framer.push(chunk);
    if (incompleteBytes === 0 || incompleteBytes >= SIGN_OF_LIFE_BYTES) {
      incompleteBytes = 0;
      keepAliveTimer?.heard();
    }
    updateReading();
  };
  const onDrain = contained(() => {
    updateReading();
    handler.writable();
  });
  const broken = (error: Error): void => {
    const reason = troubleOf(error, clock);
    if (connectSent) closedByServer(reason);
    else failLink(reason);
  };
  socket.on('data', contained(receiveBytes));
  socket.on('error', contained(broken));
  socket.on(
    'close',
    contained(() => closedByServer('the server closed the connection')),
  );

  return {
    send: packet => write(encode(packet, version)),
    publish: (message, dispatch) => {
      if (ended || output.isFull()) return 'full';
      const size = publishSize(message, dispatch, version);
      if (size > (terms?.maximumPacketSize ?? MAX_MQTT_PACKET_BYTES)) return 'tooLarge';
      keepAliveTimer?.said();
      const at = output.place(size);
      try {
        writePublish(output.slab(), at, message, dispatch, version);
      } catch (thrown) {
        // After the exception, the output buffer ends with an incomplete packet. The link is therefore closed
        // without a flush of the buffer.
        failLink(`a message could not be encoded (${reasonOf(thrown)})`);
        throw thrown;
      }
      return 'sent';
    },
    acknowledge: (type, packetId) => {
      if (ended) return;
      keepAliveTimer?.said();
      const at = output.place(acknowledgementSize(REASON.success, version));
      writeAcknowledgement(output.slab(), at, type, packetId, REASON.success, version);
    },
    hold: held => {
      readingSince = held ? undefined : (readingSince ?? clock.monotonic());
      updateReading();
    },
    readingSince: () => readingSince,
    ping,
    unrequested,
    fail: failLink,
    traffic: () => (socket.bytesRead ?? 0) + (socket.bytesWritten ?? 0),
    close: () => {
      if (terms !== undefined) write(encode({ cmd: 'disconnect', reasonCode: REASON.success }, version));
      output.flush();
      end(undefined, 'asked');
    },
  };
}

function rethrow(thrown: unknown): never {
  throw thrown;
}
