import type { Log } from '../../core/log.ts';
import type { Answer } from '../../mqtt/client.ts';
import { SUBACK_FAILURE } from '../../mqtt/packets.ts';
import { REASON } from '../../mqtt/reasons.ts';
import { isShared } from '../../mqtt/topics.ts';
import { reasonText } from '../link/error-texts.ts';
import type { Link } from '../link/link.ts';
import type { UpstreamMemory } from '../session.ts';

/** Packet identifier of SUBSCRIBE. Messages begin at 1 and share the number space. */
const SUBSCRIBE_ID = 65_535;
const UNSUBSCRIBE_ID = 65_534;

export type SubscriptionSettings = {
  readonly link: Pick<Link, 'send' | 'unrequested'>;
  readonly filters: readonly string[];
  readonly qos: 1 | 2;
  readonly memory: Pick<UpstreamMemory, 'filters' | 'keepFilters'>;
  readonly log: Log;
};

export type DownSubscription = {
  /** Handles SUBACK and UNSUBACK. Accepts one answer to each request, whatever the upstream sends. */
  readonly answered: (packet: Answer) => void;
  /** Name of a missing answer. Undefined if there is none. */
  readonly awaited: () => string | undefined;
};

/** Subscribes to new filters and unsubscribes from removed ones. */
export function subscribe(settings: SubscriptionSettings): DownSubscription {
  const { link, filters, qos, memory, log } = settings;
  const known = new Set(memory.filters());
  const missing = filters.filter(filter => !known.has(filter));
  const surplus = Array.from(known).filter(filter => !filters.includes(filter));
  /** Unanswered requests by packet identifier. */
  const open = new Map<number, (codes: readonly number[]) => void>();

  const keep = (): void =>
    memory.keepFilters(Array.from(known), error => {
      if (error !== undefined) log.warn(`What the upstream sends down is asked for again: ${error.message}`);
    });

  if (surplus.length > 0) {
    open.set(UNSUBSCRIBE_ID, codes => {
      for (const [index, filter] of surplus.entries()) {
        // Before MQTT 5, UNSUBACK has no reason codes and means success.
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
      // No Local: the hub's own messages must not come back. Only MQTT 5 has it, and not for shared
      // subscriptions [MQTT-3.8.3-4].
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
