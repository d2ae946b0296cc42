import { MAX_IN_FLIGHT } from '../../../broker/limits.ts';
import { Failure } from '../../../core/errors.ts';
import type { Message } from '../../../core/message.ts';
import { PLAIN } from '../../../core/message.ts';
import { PUBREC, PUBREL } from '../../../mqtt/acknowledgement.ts';
import type { Connack } from '../../../mqtt/answers/connack.ts';
import { createInFlight } from '../../../mqtt/inflight.ts';
import { REASON } from '../../../mqtt/reasons.ts';
import { DEFAULT_PUBLISH_OPTIONS } from '../../../mqtt/write-publish.ts';
import { reasonText } from '../../../upstream/link/error-texts.ts';
import { PUB } from '../../reference/clients.ts';
import type { ClientValues } from './open.ts';
import { openClient } from './open.ts';

/** Publisher on one topic. `send` and `finish` reject with the failure that ended the connection. */
export type Sender = {
  readonly send: (body: Buffer) => Promise<void>;
  /** Resolves when all messages are acknowledged and the connection is closed. */
  readonly finish: () => Promise<void>;
};

export type SenderSettings = {
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
};

/**
 * Connects a publisher. The maximum number of unacknowledged messages is MAX_IN_FLIGHT, or the server's
 * Receive Maximum if that is lower. At this maximum `send` waits.
 */
export function openSender(values: ClientValues, { topic, qos, retain }: SenderSettings): Promise<Sender> {
  const inFlight = createInFlight<true>();
  let window = MAX_IN_FLIGHT;
  let failure: Failure | undefined;
  let wake: (() => void) | undefined;

  const until = async (done: () => boolean): Promise<void> => {
    for (;;) {
      if (failure !== undefined) throw failure;
      if (done()) return;
      await new Promise<void>(resolve => {
        wake = resolve;
      });
    }
  };
  const fail = (reason: string): void => {
    failure ??= new Failure('upstream.refused', `The server refused a message: ${reason}.`);
    wake?.();
    link.close();
  };
  const agree = (terms: Connack): void => {
    window = Math.min(window, terms.receiveMaximum);
    if (qos > terms.maximumQoS) fail(`its highest QoS is ${terms.maximumQoS}`);
    else if (retain && !terms.retainAvailable) fail('it keeps no retained messages');
  };
  const acknowledged = (type: number, packetId: number, reasonCode: number): void => {
    const refused = reasonCode >= REASON.unspecifiedError;
    if (refused) fail(reasonText(reasonCode, undefined));
    if (type === PUBREC && !refused) link.acknowledge(PUBREL, packetId);
    else if (inFlight.release(packetId) !== undefined) wake?.();
  };

  const opened = Promise.withResolvers<Sender>();
  const closed = Promise.withResolvers<void>();
  const link = openClient(values, true, PUB, {
    opened: terms => {
      agree(terms);
      opened.resolve(sender);
    },
    packet: () => {},
    acknowledged,
    writable: () => wake?.(),
    gone: closed.resolve,
    closed: ended => {
      failure ??= ended;
      if (ended !== undefined) opened.reject(ended);
      wake?.();
    },
  });
  const sender: Sender = {
    send: async body => {
      await until(() => inFlight.size() < window);
      const packetId = qos === 0 ? 0 : inFlight.take(true);
      const dispatch = { ...DEFAULT_PUBLISH_OPTIONS, topic, qos, packetId, retain };
      await until(() => {
        const outcome = link.publish(messageOn(topic, body), dispatch);
        if (outcome === 'tooLarge') fail('it is larger than the server accepts');
        return outcome !== 'full';
      });
    },
    finish: async () => {
      await until(() => inFlight.size() === 0);
      link.close();
      // The process must not exit before the connection is closed, because TLS or a WebSocket can still have
      // output to write.
      await closed.promise;
    },
  };
  return opened.promise;
}

function messageOn(topic: string, body: Buffer): Message {
  return { topic, body, ...PLAIN, qos: 0, origin: { kind: 'client', client: '' } };
}
