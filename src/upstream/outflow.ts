import type { Cancel, Clock } from '../core/clock.ts';
import type { Message, QoS, Settle } from '../core/message.ts';
import type { Random } from '../core/random.ts';
import { UPSTREAM_REST } from '../core/upstream-limits.ts';
import { PUBACK, PUBCOMP, PUBREC, PUBREL } from '../mqtt/acknowledgement.ts';
import type { Connack } from '../mqtt/answers/connack.ts';
import { createInFlight } from '../mqtt/inflight.ts';
import { MAX_PACKET_ID } from '../mqtt/packets.ts';
import type { Drain, DrainSettings, Entry, Priorities } from '../queue/types.ts';
import { createDepartures } from './dispatch.ts';
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
  readonly topicOf: (message: Message) => string;
  readonly qos: 1 | 2;
  readonly window: number;
  readonly priorities: Priorities;
  /** One message at a time first: one of them may be what the upstream ends its links for. */
  readonly careful: boolean;
  /** Opens the queue that is sent. */
  readonly drain: (settings: DrainSettings) => Drain;
  readonly releases: Releases;
  /** False: nothing new may be sent now; `wake` follows when it may. */
  readonly mayBegin: () => boolean;
  readonly taken: () => void;
  readonly refused: (reason: string) => void;
  readonly clock: Clock;
  readonly random: Random;
};

/** The messages on their way up one link. */
export type Outflow = {
  readonly acknowledged: (type: number, packetId: number, reasonCode: number) => void;
  readonly wake: () => void;
  /** How many are sent and not answered. */
  readonly unanswered: () => number;
  /** The upstream ended the link and took nothing. If it had one message alone, that one is blamed: at once if it is `sure`. */
  readonly blame: (reason: string, sure: boolean) => void;
  readonly stop: () => void;
};

/** What stands behind a packet identifier; without an entry, a message that only has to be released. */
type Flight = { readonly qos: QoS; readonly entry: Entry | undefined };

/** Part of the window that is still on its way when a full one is filled again. */
const REFILL = 0.75;

const RELEASED: Flight = { qos: 2, entry: undefined };

/**
 * Sends a queue up a link, in order: an entry leaves the queue by the upstream's answer alone (MQTT 5, 4.3.2 and 4.3.3).
 */
export function startOutflow(settings: OutflowSettings): Outflow {
  const { link, terms, qos, window, releases, clock, random } = settings;
  const flights = createInFlight<Flight>();
  const limit = Math.min(window, terms.receiveMaximum);
  const departures = createDepartures(settings);
  let unanswered = 0;
  /** As many are on their way as may be, and too few were answered since to go on. */
  let full = false;
  /** How many go one at a time first. */
  let alone = settings.careful ? limit : 0;
  let cancelRest: Cancel | undefined;
  let stopped = false;

  const giveUp = (entry: Entry, reason: string): void => {
    settings.refused(reason);
    drain.refuse(entry, reason);
  };

  // One write for many messages costs less than one for each answer.
  const hasRoom = (): boolean => {
    if (full) full = flights.size() > limit * REFILL;
    return !full;
  };

  const send = (entry: Entry): boolean => {
    if (stopped || cancelRest !== undefined || !settings.mayBegin()) return false;
    if (!hasRoom() || (alone > 0 && unanswered > 0)) return false;
    const { sequence } = entry;
    const wanted = qos === 2 ? packetIdOf(sequence) : undefined;
    if (wanted !== undefined && releases.sequenceOf(wanted) === sequence) {
      drain.acknowledge(entry);
      return true;
    }
    const packetId = flights.take({ qos, entry }, wanted);
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
  const transmit = (entry: Entry, topic: string, packetId: number): string => {
    const departure = departures(entry, topic, qos, packetId);
    if (typeof departure === 'string') return departure;
    const outcome = link.publish(departure.message, departure.dispatch);
    return outcome === 'tooLarge' ? 'it is larger than the upstream takes' : outcome;
  };

  const rest = (): void => {
    cancelRest ??= clock.after(UPSTREAM_REST * (0.5 + random.fraction()), () => {
      cancelRest = undefined;
      drain.wake();
    });
  };

  /** PUBACK, or a PUBREC that ends it. */
  const answered = (entry: Entry, reasonCode: number): void => {
    const verdict = verdictOf(reasonCode);
    if (verdict === 'taken') {
      drain.acknowledge(entry);
      settings.taken();
      return;
    }
    const reason = `the upstream refused it: ${reasonText(reasonCode, undefined)}`;
    if (verdict === 'never') giveUp(entry, reason);
    else {
      rest();
      if (verdict === 'rest') drain.giveBack(entry);
      else drain.retry(entry, reason);
      settings.refused(reason);
    }
  };

  const release = (packetId: number): void => {
    if (!stopped) link.acknowledge(PUBREL, packetId);
  };

  const received = (packetId: number, reasonCode: number): void => {
    const flight = flights.get(packetId);
    if (flight?.entry === undefined) {
      // Its PUBREL comes by itself once it may, or is of a time that is forgotten here.
      if (flight === undefined || releases.isKept(packetId)) release(packetId);
      return;
    }
    if (flight.qos !== 2) return;
    const { entry } = flight;
    unanswered--;
    releases.answered(packetId);
    if (verdictOf(reasonCode) !== 'taken') {
      flights.release(packetId);
      answered(entry, reasonCode);
      return;
    }
    flights.set(packetId, RELEASED);
    const acknowledge = (settle: Settle): void => drain.acknowledge(entry, settle);
    releases.received(packetId, entry.sequence, acknowledge);
    settings.taken();
  };

  const completed = (packetId: number): void => {
    const flight = flights.get(packetId);
    if (flight === undefined || flight.entry !== undefined) return;
    flights.release(packetId);
    releases.completed(packetId);
    drain.wake();
  };

  const drain = settings.drain({
    window: limit,
    priorities: settings.priorities,
    firm: qos === 2,
    send,
  });
  releases.listen(release);
  for (const packetId of releases.all()) {
    flights.set(packetId, RELEASED);
    if (releases.isKept(packetId)) release(packetId);
  }

  return {
    acknowledged: (type, packetId, reasonCode) => {
      if (stopped) return;
      if (type === PUBREC) received(packetId, reasonCode);
      else if (type === PUBCOMP) completed(packetId);
      else if (type === PUBACK) {
        const flight = flights.get(packetId);
        if (flight?.qos !== 1 || flight.entry === undefined) return;
        flights.release(packetId);
        unanswered--;
        answered(flight.entry, reasonCode);
      }
    },
    wake: () => drain.wake(),
    unanswered: () => unanswered,
    blame: (reason, sure) => {
      const [entry, another] = [...flights.all()].flatMap(flight => flight.entry ?? []);
      if (entry === undefined || another !== undefined) return;
      if (sure) giveUp(entry, reason);
      else drain.retry(entry, reason);
    },
    stop: () => {
      stopped = true;
      cancelRest?.();
      drain.stop();
    },
  };
}

/**
 * The identifier of a QoS 2 message comes from its place in its queue: it goes out under the same one after a restart of
 * the hub, without a write for it, and so the upstream knows it again [MQTT-4.3.3-2].
 */
function packetIdOf(sequence: number): number {
  return 1 + (sequence % MAX_PACKET_ID);
}
