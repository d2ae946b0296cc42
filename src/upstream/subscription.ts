import type { Log } from '../core/log.ts';
import type { Answer } from '../mqtt/client.ts';
import { SUBACK_FAILURE } from '../mqtt/packets.ts';
import { REASON } from '../mqtt/reasons.ts';
import { isShared } from '../mqtt/topics.ts';
import type { Link } from './link.ts';
import type { UpstreamMemory } from './session.ts';
import { reasonText } from './trouble.ts';

/** Far from those of messages, which begin at 1: the two share their numbers with what is published. */
const SUBSCRIBE_ID = 65_535;
const UNSUBSCRIBE_ID = 65_534;

export type SubscriptionSettings = {
  readonly link: Pick<Link, 'send' | 'unrequested'>;
  readonly filters: readonly string[];
  readonly qos: 1 | 2;
  readonly memory: Pick<UpstreamMemory, 'filters' | 'keepFilters'>;
  readonly log: Log;
};

export type Subscription = {
  /** Handles SUBACK and UNSUBACK: each of the two requests is answered once, whatever the upstream sends. */
  readonly answered: (packet: Answer) => void;
  /** Name of an answer that is still to come. */
  readonly awaited: () => string | undefined;
};

/** Subscribes to what the session is not subscribed to yet, and ends what is not wanted any more. */
export function subscribe(settings: SubscriptionSettings): Subscription {
  const { link, filters, qos, memory, log } = settings;
  const known = new Set(memory.filters());
  const missing = filters.filter(filter => !known.has(filter));
  const surplus = Array.from(known).filter(filter => !filters.includes(filter));
  /** Requests without an answer, by the packet identifier that it has. */
  const open = new Map<number, (codes: readonly number[]) => void>();

  const keep = (): void =>
    memory.keepFilters(Array.from(known), error => {
      if (error !== undefined) log.warn(`What the upstream sends down is asked for again: ${error.message}`);
    });

  if (surplus.length > 0) {
    open.set(UNSUBSCRIBE_ID, codes => {
      for (const [index, filter] of surplus.entries()) {
        // Before MQTT 5 there are no codes: the answer alone is a success.
        if ((codes[index] ?? REASON.success) < SUBACK_FAILURE) known.delete(filter);
      }
      keep();
    });
    link.send({ cmd: 'unsubscribe', messageId: UNSUBSCRIBE_ID, unsubscriptions: surplus });
  }
  if (missing.length > 0) {
    open.set(SUBSCRIBE_ID, codes => {
      for (const [index, filter] of missing.entries()) {
        const code = codes[index] ?? SUBACK_FAILURE;
        if (code < SUBACK_FAILURE) known.add(filter);
        else log.error(`The upstream sends nothing down of "${filter}": ${reasonText(code, undefined)}.`);
      }
      keep();
    });
    link.send({
      cmd: 'subscribe',
      messageId: SUBSCRIBE_ID,
      // What the hub itself sends up must not come down again: MQTT 5 alone can say so, and not of a share [MQTT-3.8.3-4].
      subscriptions: missing.map(topic => ({ topic, qos, nl: !isShared(topic) })),
    });
  }

  return {
    answered: packet => {
      if (packet.cmd !== 'suback' && packet.cmd !== 'unsuback') return;
      const wanted = packet.cmd === 'suback' ? SUBSCRIBE_ID : UNSUBSCRIBE_ID;
      const answered = packet.messageId === wanted ? open.get(wanted) : undefined;
      if (answered === undefined) {
        link.unrequested(packet.cmd.toUpperCase());
        return;
      }
      open.delete(wanted);
      answered(packet.granted);
    },
    awaited: () => (open.has(SUBSCRIBE_ID) ? 'SUBACK' : open.size > 0 ? 'UNSUBACK' : undefined),
  };
}
