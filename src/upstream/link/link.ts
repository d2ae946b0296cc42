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
 * Cause of a link's end. `version`: the server does not support this MQTT version. `silent`: it closed before
 * CONNACK. `ended`: it closed an accepted connection. `blamed`: it rejected a packet. `qos`: it does not
 * support the QoS. `unanswered`: it acknowledges nothing.
 */
export type Cause = 'asked' | 'version' | 'silent' | 'ended' | 'blamed' | 'qos' | 'unanswered' | 'lost';

export type LinkHandler = {
  /** Called when the server has accepted the CONNECT. */
  readonly opened: (terms: Connack) => void;
  readonly packet: (packet: Publish | Answer) => void;
  readonly acknowledged: Acknowledged;
  /** Called when the socket is writable again. */
  readonly writable: () => void;
  /** Called once when the link is closed. `failure` is undefined after `close`. */
  readonly closed: (failure: Failure | undefined, cause: Cause) => void;
  /** Called when the socket has closed after `close`: the system has accepted all that was sent. */
  readonly gone?: () => void;
  /** Called when an exception of a step ends the link. If undefined, the exception is thrown on. */
  readonly threw?: (thrown: unknown) => void;
};

/**
 * Result of a publish. `full`: the socket's write buffer is full. `tooLarge`: the packet exceeds the server's
 * Maximum Packet Size.
 */
export type PublishOutcome = 'sent' | 'full' | 'tooLarge';

/** Client connection to an MQTT server. */
export type Link = {
  readonly send: (packet: Packet) => void;
  readonly publish: (message: Message, dispatch: PublishOptions) => PublishOutcome;
  readonly acknowledge: (type: number, packetId: number) => void;
  /** Pauses (`true`) or resumes (`false`) reading from the socket. */
  readonly hold: (held: boolean) => void;
  /** Monotonic time since which the socket is read. Undefined while it is paused. */
  readonly readingSince: () => number | undefined;
  /** Sends PINGREQ after all earlier packets. Calls `answered` at its PINGRESP. */
  readonly ping: (answered: () => void) => void;
  /** Counts an unexpected acknowledgement. Ends the link beyond MAX_UNREQUESTED_ANSWERS. */
  readonly unrequested: (what: string) => void;
  /** Ends the link because of a protocol error or a timeout. */
  readonly fail: (reason: string, cause?: Cause) => void;
  /** Bytes sent and received. */
  readonly traffic: () => number;
  readonly close: () => void;
};

/** Maximum size of an MQTT packet with its fixed header (MQTT 5, 1.5.5). */
const MAX_MQTT_PACKET_BYTES = 0xfff_ffff + 5;

/** Connects to an MQTT server. `closed` gets the Failures `upstream.unreachable` and `upstream.refused`. */
export function openLink(settings: LinkSettings, handler: LinkHandler): Link {
  const { host, port, clock, version, dial = dialPlain } = settings;
  const where = addressText(settings);
  const threw = handler.threw ?? throwOn;
  let watch: KeepAlive | undefined;
  let terms: Connack | undefined;
  let asked = false;
  let ended = false;
  /** Number of PINGREQs without PINGRESP, because PINGREQs continue while the hub does not read. */
  let pings = 0;
  let pongs = 0;
  /** Callbacks of PINGREQs whose PINGRESP the acknowledgement timeout waits for. */
  const awaitedPongs: { readonly ping: number; readonly answered: () => void }[] = [];
  let unrequestedAnswers = 0;
  /** Bytes received since the last complete packet. */
  let unfinished = 0;
  let readingSince: number | undefined = clock.monotonic();
  let paused = false;

  const end = (failure: Failure | undefined, cause: Cause): void => {
    if (ended) return;
    ended = true;
    stopWaiting();
    watch?.stop();
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
  /** Wraps a step so that its exception ends only this link. */
  const step = <Args extends unknown[]>(action: (...args: Args) => void): ((...args: Args) => void) =>
    contain(action, thrown => {
      threw(thrown);
      lost(`an error in this hub (${reasonOf(thrown)})`);
    });
  const lost = (reason: string, cause: Cause = 'lost'): void =>
    end(new Failure('upstream.unreachable', `The connection to ${where} failed: ${reason}.`), cause);
  const refused = (reason: string, cause: Cause): void =>
    end(new Failure('upstream.refused', `${where} refused the connection: ${reason}.`), cause);
  /**
   * The server closed without an answer. Before CONNACK, some servers do so if they do not support MQTT 5.
   */
  const left = (reason: string): void =>
    lost(reason, terms !== undefined ? 'ended' : asked ? 'silent' : 'lost');

  const greeted = step(() => {
    if (ended) return;
    asked = true;
    stopWaiting();
    stopWaiting = waitFor('CONNACK');
    write(encode(connectPacket(settings), version));
  });
  const socket = dial(host, port, greeted);
  const output = createOutput(socket, createSocketMemory(2 * MAX_SOCKET_BACKLOG_BYTES), () => onDrain());
  const write = (bytes: Buffer): void => {
    if (ended) return;
    watch?.said();
    output.write(bytes);
  };

  const greet = (packet: Publish | Answer): void => {
    if (packet.cmd !== 'connack') lost('it does not answer as an MQTT server');
    else if (packet.reasonCode === REASON.success) {
      terms = packet;
      stopWaiting();
      keepAlive(keepAliveOf(packet.serverKeepAlive, settings.keepAlive));
      handler.opened(packet);
    } else {
      const isVersion = packet.reasonCode === REASON.unsupportedProtocolVersion;
      refused(refusalText(packet.reasonCode, packet.reasonString, version), isVersion ? 'version' : 'lost');
    }
  };
  const receive = (packet: Publish | Answer): void => {
    if (ended) return;
    if (terms === undefined) greet(packet);
    else if (packet.cmd === 'disconnect') {
      const reason = reasonText(packet.reasonCode, packet.reasonString);
      lost(`it ended it: ${reason}`, causeOf(packet.reasonCode));
    } else if (packet.cmd === 'connack') lost('it sent a second CONNACK');
    else if (packet.cmd !== 'pingresp') handler.packet(packet);
    else if (pongs === pings) unrequested('PINGRESP');
    else ponged();
  };
  const ponged = (): void => {
    pongs++;
    if (awaitedPongs[0]?.ping === pongs) awaitedPongs.shift()?.answered();
  };
  const unrequested = (what: string): void => {
    unrequestedAnswers++;
    if (unrequestedAnswers > MAX_UNREQUESTED_ANSWERS)
      lost(`it sent ${unrequestedAnswers} answers that were not asked for, the last one ${what}`);
  };
  const framer = createClientFramer(MAX_PACKET_BYTES, version, {
    packet: packet => {
      unfinished = 0;
      receive(packet);
    },
    acknowledged: (type, packetId, reasonCode) => {
      unfinished = 0;
      if (ended) return;
      if (terms === undefined) lost('it does not answer as an MQTT server');
      else handler.acknowledged(type, packetId, reasonCode);
    },
    broken: ({ reason }) => lost(reason),
  });

  const keepAlive = (seconds: number): void => {
    if (seconds === 0) return;
    watch = startKeepAlive({
      clock,
      milliseconds: seconds * 1000,
      waiting: output.waiting,
      readingSince: () => readingSince,
      ping,
      dead: silence => lost(`keep-alive timeout, nothing received for ${Math.round(silence / 1000)} s`),
    });
  };
  const ping = (answered?: () => void): void => {
    pings++;
    if (answered !== undefined) awaitedPongs.push({ ping: pings, answered });
    write(encode({ cmd: 'pingreq' }));
  };
  const waitFor = (what: string): Cancel =>
    clock.after(UPSTREAM_CONNECT_TIMEOUT_MS, () =>
      lost(`no ${what} for ${UPSTREAM_CONNECT_TIMEOUT_MS / 1000} s`),
    );
  let stopWaiting = waitFor('connection');

  /**
   * Pauses reading while the write buffer is full, because a server that does not read would make answers
   * accumulate.
   */
  const breathe = (): void => {
    const full = readingSince === undefined || output.isFull();
    if (full === paused || ended) return;
    paused = full;
    if (full) socket.pause();
    else socket.resume();
  };

  const take = (chunk: Buffer): void => {
    unfinished += chunk.length;
    framer.push(chunk);
    if (unfinished === 0 || unfinished >= SIGN_OF_LIFE_BYTES) {
      unfinished = 0;
      watch?.heard();
    }
    breathe();
  };
  const onDrain = step(() => {
    breathe();
    handler.writable();
  });
  const broken = (error: Error): void => {
    const reason = troubleOf(error, clock);
    if (asked) left(reason);
    else lost(reason);
  };
  socket.on('data', step(take));
  socket.on('error', step(broken));
  socket.on(
    'close',
    step(() => left('it was closed from there')),
  );

  return {
    send: packet => write(encode(packet, version)),
    publish: (message, dispatch) => {
      if (ended || output.isFull()) return 'full';
      const size = publishSize(message, dispatch, version);
      if (size > (terms?.maximumPacketSize ?? MAX_MQTT_PACKET_BYTES)) return 'tooLarge';
      watch?.said();
      const at = output.place(size);
      try {
        writePublish(output.slab(), at, message, dispatch, version);
      } catch (thrown) {
        // The partly written packet must not be sent.
        lost(`a message could not be written (${reasonOf(thrown)})`);
        throw thrown;
      }
      return 'sent';
    },
    acknowledge: (type, packetId) => {
      if (ended) return;
      watch?.said();
      const at = output.place(acknowledgementSize(REASON.success, version));
      writeAcknowledgement(output.slab(), at, type, packetId, REASON.success, version);
    },
    hold: held => {
      readingSince = held ? undefined : (readingSince ?? clock.monotonic());
      breathe();
    },
    readingSince: () => readingSince,
    ping,
    unrequested,
    fail: lost,
    traffic: () => (socket.bytesRead ?? 0) + (socket.bytesWritten ?? 0),
    close: () => {
      if (terms !== undefined) write(encode({ cmd: 'disconnect', reasonCode: REASON.success }, version));
      output.flush();
      end(undefined, 'asked');
    },
  };
}

function throwOn(thrown: unknown): never {
  throw thrown;
}
