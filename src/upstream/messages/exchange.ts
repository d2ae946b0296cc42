import type { OnDurable } from '../../core/message.ts';
import { PUBACK, PUBCOMP, PUBREC, PUBREL } from '../../mqtt/acknowledgement.ts';
import type { Answer } from '../../mqtt/client.ts';
import type { Publish } from '../../mqtt/read-publish.ts';
import type { AckTimeout } from '../link/ack-timeout.ts';
import { startAckTimeout } from '../link/ack-timeout.ts';
import type { Link } from '../link/link.ts';
import type { UpstreamMemory, UpstreamSession } from '../session.ts';
import type { Downlink, DownlinkSettings } from './downlink.ts';
import { startDownlink } from './downlink.ts';
import type { DownSubscription } from './subscription.ts';
import { subscribe } from './subscription.ts';
import type { Uplink, UplinkSettings } from './uplink.ts';
import { startUplink } from './uplink.ts';

export type ExchangeSettings = Omit<UplinkSettings, 'link'> &
  Omit<DownlinkSettings, 'link' | 'filters'> & {
    readonly link: Link;
    readonly exactlyOnce: boolean;
    /** Topic filters of downstream messages (from the server to the hub). */
    readonly down: readonly string[];
    readonly memory: UpstreamMemory;
    readonly session: UpstreamSession;
    /** Called when the hub can start to send messages on this link. */
    readonly begun: () => void;
    /**
     * Called when the server has created a new session. The hub must then reconnect to resume this session.
     */
    readonly renew: () => void;
    /**
     * Called when the hub could not store the name of the session. The hub then sends no messages on this
     * link.
     */
    readonly failed: (error: Error) => void;
  };

/** Names of acknowledgement packets by type. */
const NAMES: Readonly<Record<number, string>> = {
  [PUBACK]: 'PUBACK',
  [PUBREC]: 'PUBREC',
  [PUBREL]: 'PUBREL',
  [PUBCOMP]: 'PUBCOMP',
};

/** Exchange of messages on one link after its CONNACK, in both directions. */
export type Exchange = Omit<Uplink, 'acknowledged'> & {
  readonly acknowledged: (type: number, packetId: number, reasonCode: number) => void;
  readonly packet: (packet: Publish | Answer) => void;
};

export function startExchange(settings: ExchangeSettings): Exchange {
  const { link, terms, exactlyOnce, down, memory, clock, log } = settings;
  let uplink: Uplink | undefined;
  let downlink: Downlink | undefined;
  let subscription: DownSubscription = {
    answered: packet => link.unrequested(packet.cmd.toUpperCase()),
    awaited: () => undefined,
  };
  const acks = startAckTimeout({ link, awaited: () => uplink?.awaited(), clock });
  /**
   * Timeout for SUBACK. Separate from the timeout for message acknowledgements, because a server can
   * acknowledge messages without an answer to SUBSCRIBE.
   */
  let subscribing: AckTimeout | undefined;
  let stopped = false;

  const begin: OnDurable = error => {
    if (error !== undefined) settings.failed(error);
    else if (!stopped) {
      settings.begun();
      uplink = startUplink(settings);
      uplink.wake();
    }
  };
  const sessionExists = settings.session.agree(terms, begin, () => {
    if (!stopped) settings.renew();
  });
  // The downlink (receiver of messages from the server) starts immediately, because messages of the session
  // can directly follow the CONNACK.
  if (sessionExists && (down.length > 0 || memory.filters().length > 0)) {
    downlink = startDownlink({ ...settings, filters: [...down, ...memory.filters()] });
    subscription = subscribe({ link, filters: down, qos: exactlyOnce ? 2 : 1, memory, log });
    subscribing = startAckTimeout({ link, awaited: subscription.awaited, clock });
  }

  return {
    packet: packet => {
      if (packet.cmd !== 'publish') subscription.answered(packet);
      else if (downlink === undefined) link.unrequested('PUBLISH');
      else downlink.publish(packet);
    },
    acknowledged: (type, packetId, reasonCode) => {
      const wasExpected =
        type === PUBREL ? downlink?.released(packetId) : uplink?.acknowledged(type, packetId, reasonCode);
      if (wasExpected !== true) link.unrequested(NAMES[type] ?? 'acknowledgement');
      else if (type !== PUBREL) acks.progressed();
    },
    wake: () => uplink?.wake(),
    unanswered: () => uplink?.unanswered() ?? 0,
    awaited: () => uplink?.awaited() ?? subscription.awaited(),
    doubted: () => uplink?.doubted() ?? false,
    alone: () => uplink?.alone(),
    recall: () => uplink?.recall(),
    giveUp: (entry, reason) => uplink?.giveUp(entry, reason),
    stop: () => {
      stopped = true;
      acks.stop();
      subscribing?.stop();
      uplink?.stop();
      downlink?.stop();
    },
  };
}
