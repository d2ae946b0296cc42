import type { Cancel } from '../core/clock.ts';
import { noteException } from '../core/containment.ts';
import { type Failure, reasonOf } from '../core/errors.ts';
import type { Connack } from '../mqtt/answers/connack.ts';
import { addressText, createAddresses } from './addresses.ts';
import { retryDelay } from './backoff.ts';
import { contain, containedBy } from './contained.ts';
import { createFailback } from './failback.ts';
import {
  FAILBACK_DRAIN_TIMEOUT_MS,
  MAX_DOWN_WINDOW,
  MAX_RECONNECT_DELAY_MS,
  MAX_START_DELAY_MS,
  MIN_RECONNECT_DELAY_MS,
  SCHEDULE_CHECK_MS,
  STABLE_CONNECTION_MS,
} from './limits.ts';
import { dialerOf } from './link/dialer.ts';
import { takesNothing, unreachable } from './link/error-texts.ts';
import { type Cause, type Link, openLink } from './link/link.ts';
import { createVersions } from './link/versions.ts';
import { type Exchange, startExchange } from './messages/exchange.ts';
import { createPoisonDetection } from './messages/poison-messages.ts';
import { createQos2Detection, PLAIN } from './messages/qos2-detection.ts';
import { openQos2Inbound } from './messages/qos2-inbound.ts';
import { openQos2Outbound } from './messages/qos2-outbound.ts';
import { keepsTopic, topicMaker } from './messages/topic.ts';
import { openBudget } from './metering/budget.ts';
import { isScheduled } from './metering/schedule.ts';
import { createThrottle } from './metering/throttle.ts';
import { createUpstreamMetrics } from './metrics.ts';
import { PROFILES } from './profile.ts';
import { createSession } from './session.ts';
import type { ForwarderSettings, ForwarderStatus } from './settings.ts';

export type Forwarder = { readonly status: () => ForwarderStatus; readonly stop: () => void };

/**
 * Drains a queue into an MQTT server, at least once and in order: only the server's acknowledgement removes
 * an entry, and after a reconnect all unacknowledged entries are sent first, with DUP 1.
 */
export function startForwarder(given: ForwarderSettings): Forwarder {
  const note = (thrown: unknown): void => noteException(given.log, 'the upstream', thrown);
  /** Recovers from an exception that left the forwarder without a link and without a timer. */
  const recover = (thrown: unknown): void => {
    note(thrown);
    if (state === 'stopped') return;
    cancelAll();
    state = 'waiting';
    after(MAX_RECONNECT_DELAY_MS, () => open(5));
  };
  /** Handles an exception of a step: closes the link and reconnects after a delay. */
  const threw = (thrown: unknown): void => {
    if (link !== undefined) note(thrown);
    if (link === undefined) recover(thrown);
    else link.fail(`an error in this hub (${reasonOf(thrown)})`);
  };
  const settings: ForwarderSettings = { ...given, ...containedBy(threw, given) };
  const { clock, random, log, device, memory } = settings;
  const profile = PROFILES[settings.profile];
  const template = settings.topic ?? profile.topic;
  const topicOf = topicMaker(template, device);
  const clientId = settings.clientId ?? `skerry-${device}`;
  const places = createAddresses(...settings.urls);
  const dialOf = dialerOf(settings);
  const releases = openQos2Outbound(memory.releases, settings.exactlyOnce ? settings.window : 0);
  const arrivals = openQos2Inbound(memory.receipts);
  const tally = createUpstreamMetrics(clock, log);
  const offers = createQos2Detection(memory.offers, settings.urls.map(addressText), log);
  const suspects = createPoisonDetection();
  const versions = createVersions();
  const session = createSession(memory, { releases, arrivals }, clientId, settings);

  const gate = createThrottle({
    interval: settings.interval,
    budget: settings.budget === undefined ? undefined : openBudget(settings.budget, memory.budget),
    opened: () => exchange?.wake(),
    clock,
  });
  const isDue = (): boolean => isScheduled(settings.schedule, clock.wall());

  let state: ForwarderStatus['state'] = 'connecting';
  let version: 4 | 5 = 5;
  let failures = 0;
  /** True if the link has delivered something or has been stable. */
  let good = false;
  let link: Link | undefined;
  let exchange: Exchange | undefined;
  let leaving = false;
  let cancels: Cancel[] = [];

  const after = (milliseconds: number, action: () => void): void => {
    cancels.push(clock.after(milliseconds, action));
  };
  const cancelAll = (): void => {
    for (const cancel of cancels) cancel();
    cancels = [];
  };

  const proven = (): void => {
    failures = 0;
    tally.proven();
    if (!good && places.better().length === 0) wayBack.arrived();
    good = true;
  };
  const held = (): void => {
    // A server with an overdue acknowledgement may never send it, so the link is not stable.
    if (exchange?.awaited() !== undefined) return;
    proven();
    suspects.held();
    exchange?.recall();
  };

  const opened = (terms: Connack): void => {
    const opening = link;
    if (opening === undefined) return;
    if (terms.maximumQoS === 0) {
      opening.close();
      failed(takesNothing(places.current()));
      return;
    }
    state = 'connected';
    after(STABLE_CONNECTION_MS, held);
    if (settings.schedule.length > 0) watchSchedule();
    if (places.better().length > 0) wayBack.look();
    const address = addressText(places.current());
    versions.spoken(address, version);
    if (!terms.sessionPresent) offers.forget(address);
    const most = Math.min(terms.maximumQoS, profile.maximumQoS);
    const offer = settings.exactlyOnce ? offers.begin(address, most) : PLAIN;
    exchange = startExchange({
      ...settings,
      version,
      keepsTopic: keepsTopic(template),
      ...offer,
      ...suspects.begin(offer.trial),
      link: opening,
      terms,
      session,
      profile,
      topicOf,
      releases,
      arrivals,
      begun: () => log.info(`Connected to ${address} with MQTT ${version === 5 ? '5' : '3.1.1'}.`),
      mayBegin: () => !leaving && gate.mayBegin(),
      offers: qos => offers.learn(address, qos === 2),
      taken: sequence => {
        tally.taken();
        proven();
        suspects.taken(sequence);
        offers.taken(sequence);
        leaveIfDone();
      },
      dry: gate.dry,
      refused: tally.refused,
      renew: () => {
        opening.close();
        open(version);
      },
      failed: tally.failed,
    });
  };

  const closed = (failure: Failure | undefined, cause: Cause): void => {
    const over = exchange;
    exchange = undefined;
    link = undefined;
    leaving = false;
    cancelAll();
    wayBack.stop();
    // The outcome of the sent messages needs the open queue. In any case the next link must find the queue
    // closed.
    if (over !== undefined) {
      contain(judge, note)(over, cause);
      over.stop();
    }
    contain(gate.uncount, note)();
    if (state === 'stopped' || failure === undefined) return;
    const isOlder = cause === 'silent' && version === 5 && versions.isOlder(addressText(places.current()));
    if (isOlder || (version === 5 && cause === 'version')) open(4);
    else failed(failure, cause === 'unanswered');
  };

  /** Evaluates what the end of a link means for the message that was in flight. */
  const judge = (over: Exchange, cause: Cause): void => {
    const address = addressText(places.current());
    const isSure = cause === 'blamed';
    const alone = over.alone();
    if (cause === 'qos' && settings.exactlyOnce) offers.learn(address, false);
    else if (cause === 'asked') return;
    else if (cause === 'lost' || cause === 'unanswered' || (over.unanswered() === 0 && !over.doubted())) {
      suspects.lost();
      offers.lost(address);
    } else if (over.doubted()) offers.missed(address, alone?.sequence, isSure);
    else if (suspects.ended(alone?.sequence, isSure) && alone !== undefined)
      over.giveUp(alone, 'the upstream ends the connection when it gets it');
  };

  const failed = (failure: Failure, unanswered = false): void => {
    tally.failed(failure, unanswered);
    state = 'waiting';
    const isRound = good && !unanswered ? places.first() : places.next();
    const delay = isRound ? retryDelay(failures++, random) : MIN_RECONNECT_DELAY_MS;
    after(delay, () => open(5));
  };

  const open = (wanted: 4 | 5): void => {
    if (!isDue()) {
      state = 'waiting';
      after(SCHEDULE_CHECK_MS, () => open(5));
      return;
    }
    state = 'connecting';
    good = false;
    version = wanted;
    const place = places.current();
    Promise.all([dialOf(place), settings.password?.()])
      .then(([dial, password]) => {
        if (state !== 'connecting' || link !== undefined) return;
        link = openLink(
          {
            host: place.host,
            port: place.port,
            dial,
            version: wanted,
            username: place.username ?? settings.username,
            password: place.password ?? password,
            clientId,
            ...session.wanted(),
            receiveMaximum: MAX_DOWN_WINDOW,
            keepAlive: settings.keepAlive / 1000,
            clock,
          },
          {
            opened,
            packet: packet => exchange?.packet(packet),
            acknowledged: (...answer) => exchange?.acknowledged(...answer),
            writable: () => exchange?.wake(),
            closed: contain(closed, recover),
            threw: note,
          },
        );
        gate.count(link.traffic);
      })
      .catch((thrown: unknown) => {
        if (state === 'connecting') failed(unreachable(place, thrown));
      });
  };

  /** Stops sending. Messages in flight may still be acknowledged. */
  const beginToLeave = (): void => {
    leaving = true;
    after(FAILBACK_DRAIN_TIMEOUT_MS, leave);
    leaveIfDone();
  };
  const watchSchedule = (): void => {
    if (isDue()) after(SCHEDULE_CHECK_MS, watchSchedule);
    else beginToLeave();
  };
  const leaveIfDone = (): void => {
    if (leaving && exchange?.unanswered() === 0) leave();
  };
  const leave = (): void => {
    if (!leaving) return;
    link?.close();
    places.first();
    open(5);
  };

  const wayBack = createFailback({
    clock,
    random,
    dial: async () => {
      const [place] = places.better();
      return place && { ...place, dial: await dialOf(place) };
    },
    found: beginToLeave,
  });

  after(MAX_START_DELAY_MS * random.fraction(), () => open(5));

  return {
    status: () => ({
      state,
      address: addressText(places.current()),
      version: state === 'connected' ? version : undefined,
      pause: isDue() ? gate.reason() : 'it is not scheduled now',
      ...tally.status(),
    }),
    stop: () => {
      state = 'stopped';
      cancelAll();
      wayBack.stop();
      link?.close();
      gate.stop();
    },
  };
}
