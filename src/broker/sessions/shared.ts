import { MAX_PACKET_ID } from '../../mqtt/packets.ts';
import { sharedOf } from '../../mqtt/topics.ts';
import type { Drain, QueueEntry } from '../../queue/types.ts';
import type { QueueSource } from '../outbound/types.ts';
import type { BrokerHost } from '../types.ts';
import type { Session } from './session.ts';
import type { Allowance, Subscription, SubscriptionTree } from './subscriptions.ts';

/** Prefix of shared group queues. */
export const SHARED_QUEUES = 'share/';

/** Shared subscription group (MQTT 5, 4.8.2): one member gets each message. */
export type SharedGroup = {
  readonly kind: 'group';
  /** `<group>/<filter>`. */
  readonly name: string;
  readonly filter: string;
  readonly members: Map<Session, Subscription>;
  /** Queue of the group. A member takes over what another left unacknowledged at QoS 1. */
  readonly queue: string;
  drain: Drain | undefined;
  /** True if a member may receive messages on a topic. */
  readonly accepts: (member: Session, topic: string) => boolean;
  /** Index of the member that is tried first for the next message. */
  turn: number;
};

export type SharedGroups = {
  /** Adds a member. Returns false if `filter` is not a shared subscription. */
  readonly join: (session: Session, filter: string, subscription: Subscription) => boolean;
  readonly leave: (session: Session, filter: string) => boolean;
  /**
   * Suspends a member; the group and its queue stay. Returns false if the filter is not a shared
   * subscription.
   */
  readonly suspend: (session: Session, filter: string) => boolean;
  /** Called when a member's delivery starts or stops. */
  readonly deliveryChanged: (session: Session) => void;
};

export function createSharedGroups(
  host: BrokerHost,
  subscriptions: SubscriptionTree<Session | SharedGroup>,
  accepts: SharedGroup['accepts'],
): SharedGroups {
  const groups = new Map<string, SharedGroup>();

  const groupOf = ({ name, filter }: Named, { holder }: Session): SharedGroup => {
    const known = groups.get(name);
    if (known !== undefined) return known;
    const queue = SHARED_QUEUES + name;
    const group: SharedGroup = {
      kind: 'group',
      name,
      filter,
      members: new Map(),
      queue,
      drain: undefined,
      accepts,
      turn: 0,
    };
    groups.set(name, group);
    host.assignQueue(queue, holder);
    // The member's subscription determines the QoS of each message.
    subscriptions.add(filter, group, { qos: 2, noLocal: false, retainAsPublished: false, id: undefined });
    return group;
  };

  const open = (group: SharedGroup): void => {
    if (group.drain !== undefined || !online(group)) return;
    group.drain = host.drain(group.queue, { window: MAX_PACKET_ID, send: entry => sendToOne(group, entry) });
    group.drain.wake();
  };

  const end = (group: SharedGroup): void => {
    group.drain?.stop();
    subscriptions.remove(group.filter, group);
    groups.delete(group.name);
    host.purge(group.queue);
  };

  return {
    join: (session, filter, subscription) => {
      const named = groupIn(filter);
      if (named === undefined) return false;
      const group = groupOf(named, session);
      group.members.set(session, subscription);
      open(group);
      return true;
    },
    leave: (session, filter) => {
      const named = groupIn(filter);
      if (named === undefined) return false;
      const group = groups.get(named.name);
      group?.members.delete(session);
      if (group?.members.size === 0) end(group);
      return true;
    },
    suspend: (session, filter) => {
      const named = groupIn(filter);
      if (named === undefined) return false;
      groups.get(named.name)?.members.delete(session);
      return true;
    },
    deliveryChanged: session => {
      for (const filter of session.subscriptions.keys()) {
        const named = groupIn(filter);
        const group = named && groups.get(named.name);
        if (group === undefined) continue;
        if (online(group)) {
          open(group);
          group.drain?.wake();
        } else {
          group.drain?.stop();
          group.drain = undefined;
        }
      }
    },
  };
}

/** Queue of a shared subscription. Undefined if the filter is not one. */
export function sharedQueue(filter: string): string | undefined {
  const named = groupIn(filter);
  return named && SHARED_QUEUES + named.name;
}

type Named = Pick<SharedGroup, 'name' | 'filter'>;

/** Group of a shared subscription. Undefined if the filter is not one. */
function groupIn(filter: string): Named | undefined {
  const shared = sharedOf(filter);
  if (shared === undefined || shared === 'invalid') return undefined;
  return { name: `${shared.group}/${shared.filter}`, filter: shared.filter };
}

function online({ members }: SharedGroup): boolean {
  for (const { delivery } of members.keys()) if (delivery !== undefined) return true;
  return false;
}

/** Members that may receive on a topic, in round-robin order. The caller advances `turn`. */
export function inTurn({ members, turn, accepts }: SharedGroup, topic: string): Session[] {
  const all = Array.from(members.keys()).filter(member => accepts(member, topic));
  const first = turn % Math.max(all.length, 1);
  return [...all.slice(first), ...all.slice(0, first)];
}

/** Delivery options of a member. */
export function allowanceOf({ members }: SharedGroup, member: Session): Allowance | undefined {
  const subscription = members.get(member);
  if (subscription === undefined) return undefined;
  const { qos, retainAsPublished, id } = subscription;
  return { qos, retainAsPublished, ids: id === undefined ? [] : [id] };
}

function sendToOne(group: SharedGroup, entry: QueueEntry): boolean {
  const { drain } = group;
  if (drain === undefined) return false;
  const members = inTurn(group, entry.message.topic);
  if (members.length === 0 && group.members.size > 0) {
    drain.acknowledge(entry);
    return true;
  }
  for (const member of members) {
    const allowance = allowanceOf(group, member);
    if (allowance === undefined || member.delivery === undefined) continue;
    // A message in the group's queue may have been sent to another member, so QoS 2 cannot be guaranteed.
    const qos = allowance.qos === 2 ? 1 : allowance.qos;
    const source: QueueSource = {
      drain,
      topic: undefined,
      allowance: () => ({ ...allowance, qos }),
      giveBack: drain.requeue,
    };
    if (!member.delivery.send(source, entry)) continue;
    group.turn++;
    return true;
  }
  return false;
}
