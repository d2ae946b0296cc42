import { MAX_PACKET_ID } from '../../mqtt/packets.ts';
import { sharedOf } from '../../mqtt/topics.ts';
import type { Drain, QueueEntry } from '../../queue/types.ts';
import type { QueueSource } from '../outbound/types.ts';
import type { BrokerHost } from '../types.ts';
import type { Session } from './session.ts';
import type { DeliveryOptions, Subscription, SubscriptionTree } from './subscriptions.ts';

/** Prefix of the names of the queues of shared groups. */
export const SHARED_QUEUES = 'share/';

/** Group of a shared subscription, in which each message is sent to one member (MQTT 5, 4.8.2). */
export type SharedGroup = {
  readonly kind: 'group';
  /** ShareName and topic filter: `<group>/<filter>`. */
  readonly name: string;
  readonly filter: string;
  /** Subscriptions of the members. */
  readonly members: Map<Session, Subscription>;
  /**
   * Name of the queue of the group's QoS 1 messages. If a member disconnects, its unacknowledged messages are
   * sent to another member.
   */
  readonly queue: string;
  /** Reader of the queue. Undefined while no member is connected. */
  drain: Drain | undefined;
  /** True if the access rules permit the member to receive messages on `topic`. */
  readonly accepts: (member: Session, topic: string) => boolean;
  /** Index of the member to which the next message is offered first. */
  nextMember: number;
};

/** Groups of all shared subscriptions. */
export type SharedGroups = {
  /**
   * Adds a session to the group of a shared subscription. Returns false if `filter` is not a shared
   * subscription.
   */
  readonly join: (session: Session, filter: string, subscription: Subscription) => boolean;
  /**
   * Removes a session from the group of a shared subscription. If the group has no members left, also removes
   * the group and its queue. Returns false if `filter` is not a shared subscription.
   */
  readonly leave: (session: Session, filter: string) => boolean;
  /**
   * Removes a session from the group of a shared subscription. Does not remove the group and its queue, even
   * if the group has no members left. Returns false if `filter` is not a shared subscription.
   */
  readonly suspend: (session: Session, filter: string) => boolean;
  /**
   * Called when the delivery of a session starts or stops. Starts or stops the delivery of the queues of the
   * session's groups.
   */
  readonly deliveryChanged: (session: Session) => void;
};

export function createSharedGroups(
  host: BrokerHost,
  subscriptions: SubscriptionTree<Session | SharedGroup>,
  accepts: SharedGroup['accepts'],
): SharedGroups {
  const groups = new Map<string, SharedGroup>();

  const groupOf = ({ name, filter }: GroupName, { holder }: Session): SharedGroup => {
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
      nextMember: 0,
    };
    groups.set(name, group);
    host.assignQueue(queue, holder);
    // The group accepts every QoS. The subscription of the member that receives a message limits the QoS.
    subscriptions.add(filter, group, { qos: 2, noLocal: false, retainAsPublished: false, id: undefined });
    return group;
  };

  const startDrain = (group: SharedGroup): void => {
    if (group.drain !== undefined || !hasConnectedMember(group)) return;
    group.drain = host.drain(group.queue, {
      window: MAX_PACKET_ID,
      send: entry => sendToMember(group, entry),
    });
    group.drain.wake();
  };

  const removeGroup = (group: SharedGroup): void => {
    group.drain?.stop();
    subscriptions.remove(group.filter, group);
    groups.delete(group.name);
    host.purge(group.queue);
  };

  return {
    join: (session, filter, subscription) => {
      const groupName = groupNameOf(filter);
      if (groupName === undefined) return false;
      const group = groupOf(groupName, session);
      group.members.set(session, subscription);
      startDrain(group);
      return true;
    },
    leave: (session, filter) => {
      const groupName = groupNameOf(filter);
      if (groupName === undefined) return false;
      const group = groups.get(groupName.name);
      group?.members.delete(session);
      if (group?.members.size === 0) removeGroup(group);
      return true;
    },
    suspend: (session, filter) => {
      const groupName = groupNameOf(filter);
      if (groupName === undefined) return false;
      groups.get(groupName.name)?.members.delete(session);
      return true;
    },
    deliveryChanged: session => {
      for (const filter of session.subscriptions.keys()) {
        const groupName = groupNameOf(filter);
        const group = groupName && groups.get(groupName.name);
        if (group === undefined) continue;
        if (hasConnectedMember(group)) {
          startDrain(group);
          group.drain?.wake();
        } else {
          group.drain?.stop();
          group.drain = undefined;
        }
      }
    },
  };
}

/** Returns the queue name of a shared subscription. Undefined if `filter` is not a shared subscription. */
export function sharedQueue(filter: string): string | undefined {
  const groupName = groupNameOf(filter);
  return groupName && SHARED_QUEUES + groupName.name;
}

type GroupName = Pick<SharedGroup, 'name' | 'filter'>;

/**
 * Returns the name and the filter of the group of a shared subscription. Undefined if `filter` is not a
 * shared subscription.
 */
function groupNameOf(filter: string): GroupName | undefined {
  const shared = sharedOf(filter);
  if (shared === undefined || shared === 'invalid') return undefined;
  return { name: `${shared.group}/${shared.filter}`, filter: shared.filter };
}

function hasConnectedMember({ members }: SharedGroup): boolean {
  for (const { delivery } of members.keys()) if (delivery !== undefined) return true;
  return false;
}

/**
 * Returns the members that access rules permit to receive messages on `topic`, in round-robin order from
 * `nextMember`.
 */
export function membersFrom({ members, nextMember, accepts }: SharedGroup, topic: string): Session[] {
  const all = Array.from(members.keys()).filter(member => accepts(member, topic));
  const first = nextMember % Math.max(all.length, 1);
  return [...all.slice(first), ...all.slice(0, first)];
}

/** Returns the delivery options of a member. Undefined if the session is not a member. */
export function memberOptions({ members }: SharedGroup, member: Session): DeliveryOptions | undefined {
  const subscription = members.get(member);
  if (subscription === undefined) return undefined;
  const { qos, retainAsPublished, id } = subscription;
  return { qos, retainAsPublished, ids: id === undefined ? [] : [id] };
}

/**
 * Sends an entry of the group's queue to one member. Returns false if no member can receive the entry at
 * present. Removes the entry if access rules permit no member to receive the entry.
 */
function sendToMember(group: SharedGroup, entry: QueueEntry): boolean {
  const { drain } = group;
  if (drain === undefined) return false;
  const members = membersFrom(group, entry.message.topic);
  if (members.length === 0 && group.members.size > 0) {
    drain.acknowledge(entry);
    return true;
  }
  for (const member of members) {
    const options = memberOptions(group, member);
    if (options === undefined || member.delivery === undefined) continue;
    // Lowers QoS 2 to QoS 1. The message was possibly sent to another member before, so exactly-once delivery
    // (QoS 2) is impossible.
    const qos = options.qos === 2 ? 1 : options.qos;
    const source: QueueSource = {
      drain,
      topic: undefined,
      optionsFor: () => ({ ...options, qos }),
      requeue: drain.requeue,
    };
    if (!member.delivery.send(source, entry)) continue;
    group.nextMember++;
    return true;
  }
  return false;
}
