import type { Cancel, Clock } from '../core/clock.ts';
import type { Message, OnDurable, QoS } from '../core/message.ts';
import type { Random } from '../core/random.ts';
import { PUBCOMP, PUBREC, PUBREL } from '../mqtt/acknowledgement.ts';
import type { Connack } from '../mqtt/answers/connack.ts';
import { createInFlight, packetIdOf } from '../mqtt/inflight.ts';
import { REASON } from '../mqtt/reasons.ts';
import type { Drain, DrainSettings, EntryRef, PriorityMode, QueueEntry } from '../queue/types.ts';
import { createDepartures } from './dispatch.ts';
import { UPSTREAM_PAUSE_MS } from './limits.ts';
import type { Link } from './link.ts';
import type { Profile } from './profile.ts';
import type { Releases } from './releases.ts';
import { reasonText } from './trouble.ts';
import { verdictOf } from './verdict.ts';

export type OutflowSettings = {
  readonly link: Pick<Link, 'publish' | 'acknowledge'>;
  readonly terms: Connack;
  readonly profile: Profile;
  readonly device: string;
  readonly keepsTopic: boolean;
  readonly version: 4 | 5;
  readonly topicOf: (message: Message) => string;
  readonly qos: 1 | 2;
  /** One message alone, until the upstream answers it as at QoS 2. */
  readonly unproven: boolean;
  readonly window: number;
  readonly priorities: PriorityMode;
  /** One message at a time first: one of them may be what the upstream ends its links for. */
  readonly careful: boolean;
  /** Sequences of messages that stay behind until it has taken another one. */
  readonly aside: ReadonlySet<number>;
  /** Opens the queue that is sent. */
  readonly drain: (settings: DrainSettings) => Drain;
  readonly releases: Releases;
  /** False: nothing new may be sent now; `wake` follows when it may. */
  readonly mayBegin: () => boolean;
  readonly taken: (sequence: number) => void;
  /** Nothing is on its way any more. */
  readonly dry: () => void;
  /** The upstream answered as at QoS 2, or as if a message at QoS 2 were one at QoS 1. */
  readonly offers: (qos: 1 | 2) => void;
  readonly refused: (reason: string) => void;
  readonly clock: Clock;
  readonly random: Random;
};

/** The messages on their way up one link. */
export type Outflow = {
  /** False: it answers nothing that was sent. */
  readonly acknowledged: (type: number, packetId: number, reasonCode: number) => boolean;
  readonly wake: () => void;
  /** How many are sent and not answered. */
  readonly unanswered: () => number;
  /** Name of an acknowledgement that the upstream still has to send; undefined if there is none. */
  readonly awaited: () => string | undefined;
  /** It has not answered as at QoS 2 yet, and was asked to. */
  readonly doubted: () => boolean;
  /** The message that is sent and not answered, if it is one alone. */
  readonly alone: () => EntryRef | undefined;
  /** What stayed behind is sent now. */
  readonly recall: () => void;
  /** That one goes to the dead letters. */
  readonly giveUp: (entry: EntryRef, reason: string) => void;
  readonly stop: () => void;
};

/** A message on its way: its bytes are in the queue alone. */
type Underway = EntryRef & { readonly qos: QoS };

/** What stands behind a packet identifier: without a sequence, a message that only has to be released. */
type Flight = Underway | typeof RELEASED;

const RELEASED = { qos: 2, sequence: undefined } as const;

/** Part of the window that is still on its way when a full one is filled again. */
const REFILL = 0.75;

const NOBODY: ReadonlySet<number> = new Set<number>();

/**
 * Sends a queue up a link, in order: an entry leaves the queue by the upstream's answer alone (MQTT 5, 4.3.2 and 4.3.3).
 */
export function startOutflow(settings: OutflowSettings): Outflow {
  const { link, terms, window, releases, clock, random } = settings;
  let { qos, unproven, aside: setAside } = settings;
  const flights = createInFlight<Flight>();
  const limit = Math.min(window, terms.receiveMaximum);
  const departures = createDepartures(settings);
  let unanswered = 0;
  /** As many are on their way as may be, and too few were answered since to go on. */
  let full = false;
  /** How many go one at a time first. */
  let alone = settings.careful ? limit : 0;
  let behind: EntryRef[] = [];
  let cancelRest: Cancel | undefined;
  let stopped = false;

  const giveUp = (entry: EntryRef, reason: string): void => {
    settings.refused(reason);
    drain.reject(entry, reason);
  };

  // One write for many messages costs less than one for each answer.
  const hasRoom = (): boolean => {
    if (full) full = flights.size() > limit * REFILL;
    return !full;
  };

  const send = (entry: QueueEntry): boolean => {
    if (stopped || cancelRest !== undefined || !settings.mayBegin()) return false;
    const { sequence } = entry;
    if (setAside.has(sequence)) {
      behind.push({ sequence });
      return true;
    }
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

  /** `sent`, `full`, or why it never goes. */
  const transmit = (entry: QueueEntry, topic: string, packetId: number): string => {
    const departure = departures(entry, topic, qos, packetId);
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

  /** PUBACK, or a PUBREC that ends it, of what was sent at a QoS. */
  const answered = (entry: Underway, reasonCode: number): void => {
    if (entry.qos === 2 && reasonCode === REASON.qosNotSupported) {
      offers(1);
      drain.requeue(entry);
      drain.wake();
      return;
    }
    const verdict = verdictOf(reasonCode);
    if (verdict === 'taken') {
      // Before others go: what stayed behind is next.
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
      // Its PUBREL comes by itself once it may, or is of a time that is forgotten here.
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

  /** PUBACK: at QoS 2, too, of a server that has none and takes the message as at QoS 1. */
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

  /** What was received before, here or over another link, is released. */
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
