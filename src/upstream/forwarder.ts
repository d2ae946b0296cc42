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
 * Forwards the messages of a queue to an MQTT server, at least once and in order. Only the server's
 * acknowledgement removes an entry from the queue. After a reconnect, all unacknowledged entries are sent
 * first, with DUP 1.
 */
export function startForwarder(originalSettings: ForwarderSettings): Forwarder {
  const note = (thrown: unknown): void => noteException(originalSettings.log, 'the upstream', thrown);
  /**
   * Schedules a reconnect. Called after an exception that left the forwarder without a link and without a
   * timer.
   */
  const recover = (thrown: unknown): void => {
    note(thrown);
    if (state === 'stopped') return;
    cancelAll();
    state = 'waiting';
    after(MAX_RECONNECT_DELAY_MS, () => open(5));
  };
  /** Handles an exception of a callback: closes the link, and reconnects after a delay. */
  const threw = (thrown: unknown): void => {
    if (link !== undefined) note(thrown);
    if (link === undefined) recover(thrown);
    else link.fail(`an internal error of this hub (${reasonOf(thrown)})`);
  };
  const settings: ForwarderSettings = { ...originalSettings, ...containedBy(threw, originalSettings) };
  const { clock, random, log, device, memory } = settings;
  const profile = PROFILES[settings.profile];
  const template = settings.topic ?? profile.topic;
  const topicOf = topicMaker(template, device);
  const clientId = settings.clientId ?? `skerry-${device}`;
  const addresses = createAddresses(...settings.urls);
  const dialOf = dialerOf(settings);
  const releases = openQos2Outbound(memory.releases, settings.exactlyOnce ? settings.window : 0);
  const arrivals = openQos2Inbound(memory.receipts);
  const metrics = createUpstreamMetrics(clock, log);
  const offers = createQos2Detection(memory.offers, settings.urls.map(addressText), log);
  const poison = createPoisonDetection();
  const versions = createVersions();
  const session = createSession(memory, { releases, arrivals }, clientId, settings);

  const throttle = createThrottle({
    interval: settings.interval,
    budget: settings.budget === undefined ? undefined : openBudget(settings.budget, memory.budget),
    opened: () => exchange?.wake(),
    clock,
  });
  const isDue = (): boolean => isScheduled(settings.schedule, clock.wall());

  let state: ForwarderStatus['state'] = 'connecting';
  let version: 4 | 5 = 5;
  let failures = 0;
  /**
   * True if the server has acknowledged a message on this link, or if the link has been open long enough to
   * count as stable.
   */
  let hasWorked = false;
  let link: Link | undefined;
  let exchange: Exchange | undefined;
  let closesAfterAcks = false;
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
    metrics.proven();
    if (!hasWorked && addresses.better().length === 0) failback.arrived();
    hasWorked = true;
  };
  const linkIsStable = (): void => {
    // A link does not count as stable while an acknowledgement is missing. Otherwise a server that never
    // acknowledges a message would count as working.
    if (exchange?.awaited() !== undefined) return;
    proven();
    poison.held();
    exchange?.recall();
  };

  const opened = (terms: Connack): void => {
    const opening = link;
    if (opening === undefined) return;
    if (terms.maximumQoS === 0) {
      opening.close();
      failed(takesNothing(addresses.current()));
      return;
    }
    state = 'connected';
    after(STABLE_CONNECTION_MS, linkIsStable);
    if (settings.schedule.length > 0) watchSchedule();
    if (addresses.better().length > 0) failback.scheduleCheck();
    const address = addressText(addresses.current());
    versions.spoken(address, version);
    if (!terms.sessionPresent) offers.forget(address);
    const most = Math.min(terms.maximumQoS, profile.maximumQoS);
    const offer = settings.exactlyOnce ? offers.begin(address, most) : PLAIN;
    exchange = startExchange({
      ...settings,
      version,
      keepsTopic: keepsTopic(template),
      ...offer,
      ...poison.begin(offer.trial),
      link: opening,
      terms,
      session,
      profile,
      topicOf,
      releases,
      arrivals,
      begun: () => log.info(`Connected to ${address} with MQTT ${version === 5 ? '5' : '3.1.1'}.`),
      mayBegin: () => !closesAfterAcks && throttle.mayBegin(),
      offers: qos => offers.learn(address, qos === 2),
      taken: sequence => {
        metrics.taken();
        proven();
        poison.taken(sequence);
        offers.taken(sequence);
        closeIfDrained();
      },
      dry: throttle.dry,
      refused: metrics.refused,
      renew: () => {
        opening.close();
        open(version);
      },
      failed: metrics.failed,
    });
  };

  const closed = (failure: Failure | undefined, cause: Cause): void => {
    const endedExchange = exchange;
    exchange = undefined;
    link = undefined;
    closesAfterAcks = false;
    cancelAll();
    failback.stop();
    // `evaluateEnd` determines why the link ended, and can reject the message that caused it. For the
    // rejection the queue reader must still be open. An exception of `evaluateEnd` is contained, so that the
    // reader is closed in any case: the next link opens a new one.
    if (endedExchange !== undefined) {
      contain(evaluateEnd, note)(endedExchange, cause);
      endedExchange.stop();
    }
    contain(throttle.uncount, note)();
    if (state === 'stopped' || failure === undefined) return;
    const isOlder = cause === 'silent' && version === 5 && versions.isOlder(addressText(addresses.current()));
    if (isOlder || (version === 5 && cause === 'version')) open(4);
    else failed(failure, cause === 'unanswered');
  };

  /**
   * Reports the end of a link to the detection of poison messages (messages for which the server closes each
   * connection) and to the detection of QoS 2 support.
   */
  const evaluateEnd = (endedExchange: Exchange, cause: Cause): void => {
    const address = addressText(addresses.current());
    const isSure = cause === 'blamed';
    const alone = endedExchange.alone();
    if (cause === 'qos' && settings.exactlyOnce) offers.learn(address, false);
    else if (cause === 'asked') return;
    else if (
      cause === 'lost' ||
      cause === 'unanswered' ||
      (endedExchange.unanswered() === 0 && !endedExchange.doubted())
    ) {
      poison.lost();
      offers.lost(address);
    } else if (endedExchange.doubted()) offers.missed(address, alone?.sequence, isSure);
    else if (poison.ended(alone?.sequence, isSure) && alone !== undefined)
      endedExchange.giveUp(alone, 'the upstream closes the connection when it receives the message');
  };

  const failed = (failure: Failure, unanswered = false): void => {
    metrics.failed(failure, unanswered);
    state = 'waiting';
    const allFailed = hasWorked && !unanswered ? addresses.first() : addresses.next();
    const delay = allFailed ? retryDelay(failures++, random) : MIN_RECONNECT_DELAY_MS;
    after(delay, () => open(5));
  };

  const open = (wanted: 4 | 5): void => {
    if (!isDue()) {
      state = 'waiting';
      after(SCHEDULE_CHECK_MS, () => open(5));
      return;
    }
    state = 'connecting';
    hasWorked = false;
    version = wanted;
    const place = addresses.current();
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
        throttle.count(link.traffic);
      })
      .catch((thrown: unknown) => {
        if (state === 'connecting') failed(unreachable(place, thrown));
      });
  };

  /**
   * Stops sending. When all messages in flight are acknowledged, or after a timeout, the link is closed and
   * opened again.
   */
  const stopSending = (): void => {
    closesAfterAcks = true;
    after(FAILBACK_DRAIN_TIMEOUT_MS, closeAndReopen);
    closeIfDrained();
  };
  const watchSchedule = (): void => {
    if (isDue()) after(SCHEDULE_CHECK_MS, watchSchedule);
    else stopSending();
  };
  const closeIfDrained = (): void => {
    if (closesAfterAcks && exchange?.unanswered() === 0) closeAndReopen();
  };
  const closeAndReopen = (): void => {
    if (!closesAfterAcks) return;
    link?.close();
    addresses.first();
    open(5);
  };

  const failback = createFailback({
    clock,
    random,
    dial: async () => {
      const [place] = addresses.better();
      return place && { ...place, dial: await dialOf(place) };
    },
    found: stopSending,
  });

  after(MAX_START_DELAY_MS * random.fraction(), () => open(5));

  return {
    status: () => ({
      state,
      address: addressText(addresses.current()),
      version: state === 'connected' ? version : undefined,
      pause: isDue() ? throttle.reason() : 'outside the scheduled hours',
      ...metrics.status(),
    }),
    stop: () => {
      state = 'stopped';
      cancelAll();
      failback.stop();
      link?.close();
      throttle.stop();
    },
  };
}
