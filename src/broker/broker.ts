import type { Message } from '../core/message.ts';
import type { BrokerContext, Connection } from './connection.ts';
import { openConnection } from './connection.ts';
import { connectionCapacity } from './listeners/capacity.ts';
import { listen } from './listeners/listen.ts';
import type { ListenerSettings, OpenListener } from './listeners/settings.ts';
import type { ClientSocket, Peer } from './listeners/socket.ts';
import type { Session } from './session.ts';
import { createSessions } from './session.ts';
import type { BrokerCounts, BrokerSettings } from './types.ts';

export type Broker = {
  /** Resolves to the listener's address. Rejects with Failure `listener.in-use` or `listener.refused`. */
  readonly listen: (settings: ListenerSettings) => Promise<string>;
  /**
   * Hands a message to its subscribers: at once to those that live in memory; the queues of those that must
   * have it durably are given to `durable`. Returns how many subscribers there are.
   */
  readonly deliver: (message: Message, durable: (queue: string) => void) => number;
  /** Stops listening, so that nobody new comes in. */
  readonly stopListening: () => void;
  readonly close: () => Promise<void>;
  readonly counts: () => Readonly<BrokerCounts>;
};

export function createBroker(settings: BrokerSettings): Broker {
  const counts: BrokerCounts = { connections: 0, received: 0, sent: 0, dropped: 0, refused: 0 };
  const context: BrokerContext = { ...settings, sessions: createSessions(settings.host), counts };
  const connections = new Set<Connection>();
  const listeners: OpenListener[] = [];
  const capacity = connectionCapacity(settings.log);

  const accept = (socket: ClientSocket, peer: Peer): void => {
    if (connections.size >= capacity) {
      settings.log.warn(`Refused a connection: ${capacity} are open.`);
      socket.destroy();
      return;
    }
    const connection = openConnection(context, socket, peer);
    connections.add(connection);
    counts.connections = connections.size;
    socket.once('close', () => {
      connections.delete(connection);
      counts.connections = connections.size;
    });
  };

  const deliverTo = (
    session: Session,
    granted: number,
    message: Message,
    durable: (queue: string) => void,
  ): void => {
    if (granted > 0 && message.qos > 0) {
      if (session.persistent) durable(session.queue);
      else if (!session.backlog.push(message)) counts.dropped++;
      return;
    }
    const dispatch = { topic: message.topic, qos: 0, packetId: 0, dup: false, retain: false } as const;
    // QoS 0 is for who is there and keeps up (MQTT 3.1.1, 4.3.1).
    if (session.connection?.sendPublish(message, dispatch) !== true) counts.dropped++;
  };

  return {
    listen: async wanted => {
      const listener = await listen(wanted, accept, settings);
      listeners.push(listener);
      return listener.address;
    },
    deliver: (message, durable) => {
      const subscribers = context.sessions.subscriptions.match(message.topic);
      for (const [session, granted] of subscribers) deliverTo(session, granted, message, durable);
      return subscribers.size;
    },
    stopListening: () => {
      for (const listener of listeners) listener.stop();
    },
    close: async () => {
      for (const connection of connections) connection.close(undefined);
      await Promise.all(listeners.map(listener => listener.close()));
    },
    counts: () => counts,
  };
}
