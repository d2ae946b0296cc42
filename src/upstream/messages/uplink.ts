import type { Cancel, Clock } from '../../core/clock.ts';
import type { Message, OnDurable, QoS } from '../../core/message.ts';
import type { Random } from '../../core/random.ts';
import { PUBCOMP, PUBREC, PUBREL } from '../../mqtt/acknowledgement.ts';
import type { Connack } from '../../mqtt/answers/connack.ts';
import { createInFlight, packetIdOf } from '../../mqtt/inflight.ts';
import { REASON } from '../../mqtt/reasons.ts';
import type { Drain, DrainSettings, EntryRef, PriorityMode, QueueEntry } from '../../queue/types.ts';
import { UPSTREAM_PAUSE_MS } from '../limits.ts';
import { reasonText } from '../link/error-texts.ts';
import type { Link } from '../link/link.ts';
import type { Profile } from '../profile.ts';
import { createOutgoingPublishes } from './outgoing-publish.ts';
import type { Qos2Outbound } from './qos2-outbound.ts';
import { verdictOf } from './verdict.ts';

export type UplinkSettings = {
  readonly link: Pick<Link, 'publish' | 'acknowledge'>;
  readonly terms: Connack;
  readonly profile: Profile;
  readonly device: string;
  readonly keepsTopic: boolean;
  readonly version: 4 | 5;
  readonly topicOf: (message: Message) => string;
  readonly qos: 1 | 2;
  /** True if the uplink sends one message at a time until the server answers with PUBREC. */
  readonly unproven: boolean;
  readonly window: number;
  readonly priorities: PriorityMode;
  /**
   * True if messages are sent one at a time at the start of the link, because one of the messages is possibly
   * a poison message (a message for which the server closes each connection).
   */
  readonly careful: boolean;
  /**
   * Sequence numbers of deferred messages. The uplink sends them after the server has acknowledged another
   * message.
   */
  readonly aside: ReadonlySet<number>;
  /** Opens the reader of the queue. */
  readonly drain: (settings: DrainSettings) => Drain;
  readonly releases: Qos2Outbound;
  /**
   * Returns false while the throttle pauses sending. When sending can resume, the throttle calls
   * `Uplink.wake`.
   */
  readonly mayBegin: () => boolean;
  /** Called when the server has acknowledged a message. */
  readonly taken: (sequence: number) => void;
  /** Called when no message is in flight. */
  readonly dry: () => void;
  /** Called when the answer to a QoS 2 message shows whether the server supports QoS 2 or only QoS 1. */
  readonly offers: (qos: 1 | 2) => void;
  /** Called when the server or the hub has rejected a message. */
  readonly refused: (reason: string) => void;
  readonly clock: Clock;
  readonly random: Random;
};

/** Sender of the upstream messages (from the hub to the server) of one link. */
export type Uplink = {
  /** Handles an acknowledgement. Returns false if no sent message matches the acknowledgement. */
  readonly acknowledged: (type: number, packetId: number, reasonCode: number) => boolean;
  readonly wake: () => void;
  /** Returns the number of unacknowledged messages. */
  readonly unanswered: () => number;
  /** Returns the name of a missing acknowledgement. Returns undefined if no acknowledgement is missing. */
  readonly awaited: () => string | undefined;
  /** Returns true if a QoS 2 message is in flight and the server's support for QoS 2 is unknown. */
  readonly doubted: () => boolean;
  /** Returns the unacknowledged message if there is exactly one. Otherwise returns undefined. */
  readonly alone: () => EntryRef | undefined;
  /** Sends the deferred messages. */
  readonly recall: () => void;
  /** Moves a message to the dead letters. */
  readonly giveUp: (entry: EntryRef, reason: string) => void;
  readonly stop: () => void;
};

/** Sequence number and QoS of a message in flight. The message itself stays in the queue. */
type SentMessage = EntryRef & { readonly qos: QoS };

/** State of a packet identifier: a message in flight, or a QoS 2 message that waits for PUBCOMP. */
type Flight = SentMessage | typeof RELEASED;

const RELEASED = { qos: 2, sequence: undefined } as const;

/**
 * Fraction of the window. After the window was full, sending resumes when at most this fraction is in flight.
 */
const REFILL_FRACTION = 0.75;

const NONE: ReadonlySet<number> = new Set<number>();

/**
 * Sends the messages of a queue over a link, in order. Only the server's acknowledgement removes an entry
 * from the queue (MQTT 5, 4.3.2 and 4.3.3).
 */
export function startUplink(settings: UplinkSettings): Uplink {
  const { link, terms, window, releases, clock, random } = settings;
  let { qos, unproven, aside: deferredSequences } = settings;
  const flights = createInFlight<Flight>();
  const limit = Math.min(window, terms.receiveMaximum);
  const publishes = createOutgoingPublishes(settings);
  let unanswered = 0;
  /** True while the window is full and not enough acknowledgements have arrived. */
  let full = false;
  /** Number of messages that still must be sent one at a time. */
  let alone = settings.careful ? limit : 0;
  /** Deferred messages that the queue reader has passed to `send`. They are not sent yet. */
  let deferred: EntryRef[] = [];
  let cancelPause: Cancel | undefined;
  let stopped = false;

  const giveUp = (entry: EntryRef, reason: string): void => {
    settings.refused(reason);
    drain.reject(entry, reason);
  };

  // Refills a full window in batches, because one write for many messages is cheaper than one write for each
  // acknowledgement.
  const hasRoom = (): boolean => {
    if (full) full = flights.size() > limit * REFILL_FRACTION;
    return !full;
  };

  const send = (entry: QueueEntry): boolean => {
    if (stopped || cancelPause !== undefined || !settings.mayBegin()) return false;
    const { sequence } = entry;
    if (deferredSequences.has(sequence)) return deferred.push({ sequence }) > 0;
    if (!hasRoom() || (unanswered > 0 && (alone > 0 || unproven))) return false;
    const requiredId = qos === 2 ? packetIdOf(sequence) : undefined;
    if (requiredId !== undefined && releases.sequenceOf(requiredId) === sequence) {
      drain.acknowledge(entry);
      return true;
    }
    const packetId = flights.take({ qos, sequence }, requiredId);
    if (packetId === 0) return false;
    if (qos === 2 && releases.isStale(packetId, sequence)) {
      flights.set(packetId, RELEASED);
      release(packetId);
      return false;
    }
    const topic = settings.topicOf(entry.message);
    const outcome = transmit(entry, topic, packetId);
    if (outcome === 'sent') {
      if (qos === 2) releases.published(packetId, sequence);
      unanswered++;
      alone = Math.max(alone - 1, 0);
      full = flights.size() >= limit;
      return true;
    }
    flights.release(packetId);
    if (outcome === 'full') return false;
    giveUp(entry, outcome);
    return true;
  };

  /** Publishes an entry. Returns `sent`, `full`, or the reason why the entry can never be sent. */
  const transmit = (entry: QueueEntry, topic: string, packetId: number): string => {
    const outgoing = publishes(entry, topic, qos, packetId);
    if (typeof outgoing === 'string') return outgoing;
    const outcome = link.publish(outgoing.message, outgoing.dispatch);
    return outcome === 'tooLarge' ? 'it is larger than the upstream server accepts' : outcome;
  };

  const pauseSending = (): void => {
    cancelPause ??= clock.after(UPSTREAM_PAUSE_MS * (0.5 + random.fraction()), () => {
      cancelPause = undefined;
      drain.wake();
    });
  };

  const recall = (): void => {
    if (deferredSequences.size === 0) return;
    deferredSequences = NONE;
    for (const entry of deferred) drain.requeue(entry);
    deferred = [];
    drain.wake();
  };

  const offers = (shown: 1 | 2): void => {
    unproven = false;
    qos = shown;
    settings.offers(shown);
  };

  /** Handles the final acknowledgement of a message: a PUBACK, or a PUBREC with an error. */
  const answered = (entry: SentMessage, reasonCode: number): void => {
    if (entry.qos === 2 && reasonCode === REASON.qosNotSupported) {
      offers(1);
      drain.requeue(entry);
      drain.wake();
      return;
    }
    const verdict = verdictOf(reasonCode);
    if (verdict === 'taken') {
      // The server acknowledges messages, so the deferred messages are tried again.
      recall();
      drain.acknowledge(entry);
      settings.taken(entry.sequence);
      if (flights.size() === 0) settings.dry();
      return;
    }
    const reason = `the upstream refused the message: ${reasonText(reasonCode, undefined)}`;
    if (verdict === 'never') giveUp(entry, reason);
    else {
      pauseSending();
      if (verdict === 'rest') drain.requeue(entry);
      else drain.retry(entry, reason);
      settings.refused(reason);
    }
  };

  const release = (packetId: number): void => {
    if (!stopped) link.acknowledge(PUBREL, packetId);
  };

  const received = (packetId: number, reasonCode: number): boolean => {
    const flight = flights.get(packetId);
    if (flight?.sequence === undefined) {
      // This PUBREC is a repetition, or its identifier belongs to a lost session. For a lost session, PUBREL
      // is sent immediately. For a repetition, PUBREL is sent immediately only if the first PUBREC is already
      // durable.
      if (flight === undefined || releases.isKept(packetId)) release(packetId);
      return false;
    }
    if (flight.qos !== 2) return false;
    unanswered--;
    releases.answered(packetId);
    if (unproven) offers(2);
    if (verdictOf(reasonCode) !== 'taken') {
      flights.release(packetId);
      answered(flight, reasonCode);
      return true;
    }
    flights.set(packetId, RELEASED);
    recall();
    const acknowledge = (settle: OnDurable): void => drain.acknowledge(flight, settle);
    releases.received(packetId, flight.sequence, acknowledge);
    settings.taken(flight.sequence);
    return true;
  };

  const completed = (packetId: number): boolean => {
    const flight = flights.get(packetId);
    if (flight === undefined || flight.sequence !== undefined) return false;
    flights.release(packetId);
    releases.completed(packetId);
    if (unproven) offers(2);
    drain.wake();
    if (flights.size() === 0) settings.dry();
    return true;
  };

  /** Handles PUBACK. Some servers without QoS 2 also send PUBACK for a QoS 2 message. */
  const confirmed = (packetId: number, reasonCode: number): boolean => {
    const flight = flights.get(packetId);
    if (flight?.sequence === undefined) return false;
    flights.release(packetId);
    unanswered--;
    if (flight.qos === 2) {
      releases.answered(packetId);
      offers(1);
    }
    answered(flight, reasonCode);
    return true;
  };

  /** Sends PUBREL for the QoS 2 messages that the server received on an earlier link. */
  const resume = (): void => {
    releases.listen(release);
    for (const packetId of releases.all()) {
      flights.set(packetId, RELEASED);
      if (releases.isKept(packetId)) release(packetId);
    }
    full = flights.size() >= limit;
  };

  const drain = settings.drain({
    window: limit + deferredSequences.size,
    priorities: settings.priorities,
    durableFirst: qos === 2,
    send,
  });
  if (qos === 2) resume();

  return {
    acknowledged: (type, packetId, reasonCode) => {
      if (stopped) return true;
      if (type === PUBREC) return received(packetId, reasonCode);
      return type === PUBCOMP ? completed(packetId) : confirmed(packetId, reasonCode);
    },
    wake: () => drain.wake(),
    unanswered: () => unanswered,
    awaited: () => {
      if (unanswered > 0) return qos === 2 ? 'PUBREC' : 'PUBACK';
      return flights.size() - unanswered > releases.unsent() ? 'PUBCOMP' : undefined;
    },
    doubted: () => unproven && flights.size() > 0,
    alone: () => {
      const [one, another] = Array.from(flights.all()).filter(flight => flight.sequence !== undefined);
      return another === undefined && one?.sequence !== undefined ? one : undefined;
    },
    recall,
    giveUp,
    stop: () => {
      stopped = true;
      cancelPause?.();
      drain.stop();
      releases.suspend();
    },
  };
}
