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
    /** Topic filters of downstream messages. */
    readonly down: readonly string[];
    readonly memory: UpstreamMemory;
    readonly session: UpstreamSession;
    /** Called when messages may be sent on this link. */
    readonly begun: () => void;
    /** Called when the session must begin with a new connection. */
    readonly renew: () => void;
    /** Called when the session could not be stored: nothing is sent. */
    readonly failed: (error: Error) => void;
  };

const NAMES: Readonly<Record<number, string>> = {
  [PUBACK]: 'PUBACK',
  [PUBREC]: 'PUBREC',
  [PUBREL]: 'PUBREL',
  [PUBCOMP]: 'PUBCOMP',
};

/** Message exchange of one link after its CONNACK. */
export type Exchange = Omit<Uplink, 'acknowledged'> & {
  readonly acknowledged: (type: number, packetId: number, reasonCode: number) => void;
  readonly packet: (packet: Publish | Answer) => void;
};

export function startExchange(settings: ExchangeSettings): Exchange {
  const { link, terms, exactlyOnce, down, memory, clock, log } = settings;
  let outflow: Uplink | undefined;
  let inflow: Downlink | undefined;
  let subscription: DownSubscription = {
    answered: packet => link.unrequested(packet.cmd.toUpperCase()),
    awaited: () => undefined,
  };
  const acks = startAckTimeout({ link, awaited: () => outflow?.awaited(), clock });
  /** Separate timeout, because a server that acknowledges messages may leave SUBSCRIBE unanswered. */
  let subscribing: AckTimeout | undefined;
  let stopped = false;

  const begin: OnDurable = error => {
    if (error !== undefined) settings.failed(error);
    else if (!stopped) {
      settings.begun();
      outflow = startUplink(settings);
      outflow.wake();
    }
  };
  const lasts = settings.session.agree(terms, begin, () => {
    if (!stopped) settings.renew();
  });
  // Sent at once, because messages of the session may follow the CONNACK.
  if (lasts && (down.length > 0 || memory.filters().length > 0)) {
    inflow = startDownlink({ ...settings, filters: [...down, ...memory.filters()] });
    subscription = subscribe({ link, filters: down, qos: exactlyOnce ? 2 : 1, memory, log });
    subscribing = startAckTimeout({ link, awaited: subscription.awaited, clock });
  }

  return {
    packet: packet => {
      if (packet.cmd !== 'publish') subscription.answered(packet);
      else if (inflow === undefined) link.unrequested('PUBLISH');
      else inflow.publish(packet);
    },
    acknowledged: (type, packetId, reasonCode) => {
      const isDue =
        type === PUBREL ? inflow?.released(packetId) : outflow?.acknowledged(type, packetId, reasonCode);
      if (isDue !== true) link.unrequested(NAMES[type] ?? 'acknowledgement');
      else if (type !== PUBREL) acks.progressed();
    },
    wake: () => outflow?.wake(),
    unanswered: () => outflow?.unanswered() ?? 0,
    awaited: () => outflow?.awaited() ?? subscription.awaited(),
    doubted: () => outflow?.doubted() ?? false,
    alone: () => outflow?.alone(),
    recall: () => outflow?.recall(),
    giveUp: (entry, reason) => outflow?.giveUp(entry, reason),
    stop: () => {
      stopped = true;
      acks.stop();
      subscribing?.stop();
      outflow?.stop();
      inflow?.stop();
    },
  };
}
