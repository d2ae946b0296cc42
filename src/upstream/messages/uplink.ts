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
  /** Sends a single message until the upstream answers it as QoS 2. */
  readonly unproven: boolean;
  readonly window: number;
  readonly priorities: PriorityMode;
  /** Sends one message at a time at first, because one of them may be a poison message. */
  readonly careful: boolean;
  /** Sequences of messages that are deferred until another message was acknowledged. */
  readonly aside: ReadonlySet<number>;
  /** Opens the drain of the queue. */
  readonly drain: (settings: DrainSettings) => Drain;
  readonly releases: Qos2Outbound;
  /** False while the throttle is closed. `wake` is called when it opens. */
  readonly mayBegin: () => boolean;
  readonly taken: (sequence: number) => void;
  /** Called when nothing is in flight. */
  readonly dry: () => void;
  /** Called when the upstream answered a QoS 2 message as QoS 2, or as QoS 1. */
  readonly offers: (qos: 1 | 2) => void;
  readonly refused: (reason: string) => void;
  readonly clock: Clock;
  readonly random: Random;
};

/** Upstream messages of one link. */
export type Uplink = {
  /** Handles an acknowledgement. Returns false if nothing sent matches it. */
  readonly acknowledged: (type: number, packetId: number, reasonCode: number) => boolean;
  readonly wake: () => void;
  /** Number of unacknowledged messages. */
  readonly unanswered: () => number;
  /** Name of a missing acknowledgement. Undefined if there is none. */
  readonly awaited: () => string | undefined;
  /** True if a QoS 2 message was sent and QoS 2 is not proven. */
  readonly doubted: () => boolean;
  /** The single unacknowledged message. Undefined if there are none or several. */
  readonly alone: () => EntryRef | undefined;
  /** Sends the deferred messages. */
  readonly recall: () => void;
  /** Moves the message to the dead letters. */
  readonly giveUp: (entry: EntryRef, reason: string) => void;
  readonly stop: () => void;
};

/** Message in flight. Its bytes are only in the queue. */
type Underway = EntryRef & { readonly qos: QoS };

/** State of a packet identifier: a message in flight, or a QoS 2 message that needs only its PUBREL. */
type Flight = Underway | typeof RELEASED;

const RELEASED = { qos: 2, sequence: undefined } as const;

/** Fraction of the window that is still in flight when a full window is refilled. */
const REFILL = 0.75;

const NOBODY: ReadonlySet<number> = new Set<number>();

/**
 * Sends a queue over a link, in order. Only the upstream's acknowledgement removes an entry (MQTT 5, 4.3.2
 * and 4.3.3).
 */
export function startUplink(settings: UplinkSettings): Uplink {
  const { link, terms, window, releases, clock, random } = settings;
  let { qos, unproven, aside: setAside } = settings;
  const flights = createInFlight<Flight>();
  const limit = Math.min(window, terms.receiveMaximum);
  const publishes = createOutgoingPublishes(settings);
  let unanswered = 0;
  /** True while the window is full and not enough acknowledgements have arrived. */
  let full = false;
  /** Number of messages that are sent one at a time. */
  let alone = settings.careful ? limit : 0;
  let behind: EntryRef[] = [];
  let cancelRest: Cancel | undefined;
  let stopped = false;

  const giveUp = (entry: EntryRef, reason: string): void => {
    settings.refused(reason);
    drain.reject(entry, reason);
  };

  // Batches the refill: one write for many messages costs less than one per acknowledgement.
  const hasRoom = (): boolean => {
    if (full) full = flights.size() > limit * REFILL;
    return !full;
  };

  const send = (entry: QueueEntry): boolean => {
    if (stopped || cancelRest !== undefined || !settings.mayBegin()) return false;
    const { sequence } = entry;
    if (setAside.has(sequence)) return behind.push({ sequence }) > 0;
    if (!hasRoom() || (unanswered > 0 && (alone > 0 || unproven))) return false;
    const wanted = qos === 2 ? packetIdOf(sequence) : undefined;
    if (wanted !== undefined && releases.sequenceOf(wanted) === sequence) {
      drain.acknowledge(entry);
      return true;
    }
    const packetId = flights.take({ qos, sequence }, wanted);
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

  /** Publishes an entry. Returns `sent`, `full`, or the reason why it can never be sent. */
  const transmit = (entry: QueueEntry, topic: string, packetId: number): string => {
    const departure = publishes(entry, topic, qos, packetId);
    if (typeof departure === 'string') return departure;
    const outcome = link.publish(departure.message, departure.dispatch);
    return outcome === 'tooLarge' ? 'it is larger than the upstream takes' : outcome;
  };

  const rest = (): void => {
    cancelRest ??= clock.after(UPSTREAM_PAUSE_MS * (0.5 + random.fraction()), () => {
      cancelRest = undefined;
      drain.wake();
    });
  };

  const recall = (): void => {
    if (setAside.size === 0) return;
    setAside = NOBODY;
    for (const entry of behind) drain.requeue(entry);
    behind = [];
    drain.wake();
  };

  const offers = (shown: 1 | 2): void => {
    unproven = false;
    qos = shown;
    settings.offers(shown);
  };

  /** Handles the final acknowledgement of a message: PUBACK, or PUBREC with an error. */
  const answered = (entry: Underway, reasonCode: number): void => {
    if (entry.qos === 2 && reasonCode === REASON.qosNotSupported) {
      offers(1);
      drain.requeue(entry);
      drain.wake();
      return;
    }
    const verdict = verdictOf(reasonCode);
    if (verdict === 'taken') {
      // Deferred messages are next.
      recall();
      drain.acknowledge(entry);
      settings.taken(entry.sequence);
      if (flights.size() === 0) settings.dry();
      return;
    }
    const reason = `the upstream refused it: ${reasonText(reasonCode, undefined)}`;
    if (verdict === 'never') giveUp(entry, reason);
    else {
      rest();
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
      // PUBREL follows when the release is durable, or the identifier belongs to a lost session.
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

  /** Handles PUBACK, also for a QoS 2 message of a server that handles it as QoS 1. */
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

  /** Sends PUBREL for messages that the upstream received before, on this link or another. */
  const resume = (): void => {
    releases.listen(release);
    for (const packetId of releases.all()) {
      flights.set(packetId, RELEASED);
      if (releases.isKept(packetId)) release(packetId);
    }
    full = flights.size() >= limit;
  };

  const drain = settings.drain({
    window: limit + setAside.size,
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
      cancelRest?.();
      drain.stop();
      releases.suspend();
    },
  };
}
