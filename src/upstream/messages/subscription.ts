import type { Log } from '../../core/log.ts';
import type { Answer } from '../../mqtt/client.ts';
import { SUBACK_FAILURE } from '../../mqtt/packets.ts';
import { REASON } from '../../mqtt/reasons.ts';
import { isShared } from '../../mqtt/topics.ts';
import { reasonText } from '../link/error-texts.ts';
import type { Link } from '../link/link.ts';
import type { UpstreamMemory } from '../session.ts';

/** Packet identifier of SUBSCRIBE. PUBLISH packets use identifiers that start at 1. */
const SUBSCRIBE_ID = 65_535;

/** Packet identifier of UNSUBSCRIBE. */
const UNSUBSCRIBE_ID = 65_534;

export type SubscriptionSettings = {
  readonly link: Pick<Link, 'send' | 'unrequested'>;
  readonly filters: readonly string[];
  readonly qos: 1 | 2;
  readonly memory: Pick<UpstreamMemory, 'filters' | 'keepFilters'>;
  readonly log: Log;
};

/** Subscription of one link to the topic filters of downstream messages (from the server to the hub). */
export type DownSubscription = {
  /** Handles SUBACK and UNSUBACK. A second answer to the same request is counted as unexpected. */
  readonly answered: (packet: Answer) => void;
  /** Returns the name of the missing answer, SUBACK or UNSUBACK. Undefined if all requests were answered. */
  readonly awaited: () => string | undefined;
};

/** Subscribes to new filters, and unsubscribes from filters that are not in the manifest. */
export function subscribe(settings: SubscriptionSettings): DownSubscription {
  const { link, filters, qos, memory, log } = settings;
  const subscribed = new Set(memory.filters());
  const missing = filters.filter(filter => !subscribed.has(filter));
  const removed = Array.from(subscribed).filter(filter => !filters.includes(filter));
  /** Unanswered requests by packet identifier. */
  const unanswered = new Map<number, (codes: readonly number[]) => void>();

  const store = (): void =>
    memory.keepFilters(Array.from(subscribed), error => {
      if (error !== undefined)
        log.warn(`The upstream subscriptions could not be stored and will be repeated: ${error.message}`);
    });

  if (removed.length > 0) {
    unanswered.set(UNSUBSCRIBE_ID, codes => {
      for (const [index, filter] of removed.entries()) {
        // Before MQTT 5, UNSUBACK has no reason codes and means success.
        if ((codes[index] ?? REASON.success) < SUBACK_FAILURE) subscribed.delete(filter);
      }
      store();
    });
    link.send({ cmd: 'unsubscribe', messageId: UNSUBSCRIBE_ID, unsubscriptions: removed });
  }
  if (missing.length > 0) {
    unanswered.set(SUBSCRIBE_ID, codes => {
      for (const [index, filter] of missing.entries()) {
        const code = codes[index] ?? SUBACK_FAILURE;
        if (code < SUBACK_FAILURE) subscribed.add(filter);
        else
          log.error(`The upstream refused the subscription to "${filter}": ${reasonText(code, undefined)}.`);
      }
      store();
    });
    link.send({
      cmd: 'subscribe',
      messageId: SUBSCRIBE_ID,
      // With the option No Local, the server does not send the hub's own messages back to the hub. MQTT 3.1.1
      // has no such option, and shared subscriptions must not set the option [MQTT-3.8.3-4].
      subscriptions: missing.map(topic => ({ topic, qos, nl: !isShared(topic) })),
    });
  }

  return {
    answered: packet => {
      if (packet.cmd !== 'suback' && packet.cmd !== 'unsuback') return;
      const requestId = packet.cmd === 'suback' ? SUBSCRIBE_ID : UNSUBSCRIBE_ID;
      const answered = packet.messageId === requestId ? unanswered.get(requestId) : undefined;
      if (answered === undefined) {
        link.unrequested(packet.cmd.toUpperCase());
        return;
      }
      unanswered.delete(requestId);
      answered(packet.granted);
    },
    awaited: () => (unanswered.has(SUBSCRIBE_ID) ? 'SUBACK' : unanswered.size > 0 ? 'UNSUBACK' : undefined),
  };
}
