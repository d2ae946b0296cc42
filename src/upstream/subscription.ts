import type { Log } from '../core/log.ts';
import type { Answer } from '../mqtt/client.ts';
import { SUBACK_FAILURE } from '../mqtt/packets.ts';
import { isShared } from '../mqtt/topics.ts';
import type { Link } from './link.ts';
import type { UpstreamMemory } from './session.ts';
import { reasonText } from './trouble.ts';

/** Far from those of messages, which begin at 1: the two share their numbers with what is published. */
const SUBSCRIBE_ID = 65_535;
const UNSUBSCRIBE_ID = 65_534;

export type SubscriptionSettings = {
  readonly link: Pick<Link, 'send'>;
  readonly filters: readonly string[];
  readonly qos: 1 | 2;
  readonly memory: Pick<UpstreamMemory, 'filters' | 'keepFilters'>;
  readonly log: Log;
};

/** Subscribes to what the session is not subscribed to yet, and ends what is not wanted any more. Hears the answers. */
export function subscribe(settings: SubscriptionSettings): (packet: Answer) => void {
  const { link, filters, qos, memory, log } = settings;
  const known = memory.filters();
  const missing = filters.filter(filter => !known.includes(filter));
  const surplus = known.filter(filter => !filters.includes(filter));
  if (surplus.length > 0)
    link.send({ cmd: 'unsubscribe', messageId: UNSUBSCRIBE_ID, unsubscriptions: surplus });
  if (missing.length > 0)
    link.send({
      cmd: 'subscribe',
      messageId: SUBSCRIBE_ID,
      // What the hub itself sends up must not come down again: MQTT 5 alone can say so, and not of a share [MQTT-3.8.3-4].
      subscriptions: missing.map(topic => ({ topic, qos, nl: !isShared(topic) })),
    });
  const keep = (granted: readonly string[]): void =>
    memory.keepFilters(granted, error => {
      if (error !== undefined) log.warn(`What the upstream sends down is asked for again: ${error.message}`);
    });

  return packet => {
    if (packet.cmd === 'unsuback') keep(memory.filters().filter(filter => !surplus.includes(filter)));
    if (packet.cmd !== 'suback') return;
    const granted = missing.filter((_, index) => (packet.granted[index] ?? SUBACK_FAILURE) < SUBACK_FAILURE);
    for (const [index, filter] of missing.entries()) {
      const code = packet.granted[index] ?? SUBACK_FAILURE;
      if (code >= SUBACK_FAILURE)
        log.error(`The upstream sends nothing down of "${filter}": ${reasonText(code, undefined)}.`);
    }
    keep([...memory.filters(), ...granted]);
  };
}
