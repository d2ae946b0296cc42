import { IN_FLIGHT_WINDOW } from '../core/limits.ts';
import type { Message, QoS } from '../core/message.ts';
import { createInFlight } from '../mqtt/inflight.ts';
import type { Dispatch } from '../mqtt/publish.ts';
import type { DrainSettings, Entry, SimpleDrain } from '../queue/types.ts';

/** Writes one PUBLISH; false: the receiver cannot take it now. */
export type SendPublish = (message: Message, dispatch: Dispatch) => boolean;

/** What a connected session is owed, on its way out: its own queue and the inputs it subscribed to. */
export type Delivery = {
  /** Begins to send from a queue under `name`; `topic` replaces the message's own if it is given. */
  readonly attach: (
    name: string,
    open: (settings: DrainSettings) => SimpleDrain,
    topic: string | undefined,
    qos: QoS,
  ) => void;
  readonly detach: (name: string) => void;
  /** PUBACK: unknown identifiers are ignored, as a late one after a reconnect is no error. */
  readonly acknowledge: (packetId: number) => void;
  /** The receiver can take more. */
  readonly wake: () => void;
  readonly stop: () => void;
};

export function createDelivery(send: SendPublish): Delivery {
  const drains = new Map<string, SimpleDrain>();
  const inFlight = createInFlight<{ readonly drain: SimpleDrain; readonly entry: Entry }>();

  const sendEntry = (drain: SimpleDrain, entry: Entry, topic: string | undefined, qos: QoS): boolean => {
    const { message, redelivered } = entry;
    const packetId = qos === 0 ? 0 : inFlight.take({ drain, entry });
    const dispatch = {
      topic: topic ?? message.topic,
      qos,
      packetId,
      dup: redelivered && qos > 0,
      retain: false,
    };
    if (!send(message, dispatch)) {
      inFlight.release(packetId);
      return false;
    }
    if (qos === 0) drain.acknowledge(entry);
    return true;
  };

  return {
    attach: (name, open, topic, qos) => {
      if (drains.has(name)) return;
      const drain = open({
        window: IN_FLIGHT_WINDOW,
        send: entry => sendEntry(drain, entry, topic, qos),
      });
      drains.set(name, drain);
      drain.wake();
    },
    detach: name => {
      drains.get(name)?.stop();
      drains.delete(name);
    },
    acknowledge: packetId => {
      const sent = inFlight.release(packetId);
      sent?.drain.acknowledge(sent.entry);
    },
    wake: () => {
      for (const drain of drains.values()) drain.wake();
    },
    stop: () => {
      for (const drain of drains.values()) drain.stop();
      drains.clear();
      inFlight.clear();
    },
  };
}
