import { messageProblem } from '../core/characters.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Message, Settle } from '../core/message.ts';
import { NO_PROPERTIES } from '../core/message.ts';
import { DOWN_RETRY, DOWN_WINDOW } from '../core/upstream-limits.ts';
import { PUBACK, PUBCOMP, PUBREC } from '../mqtt/acknowledgement.ts';
import type { Publish } from '../mqtt/publish.ts';
import { isTopicName } from '../mqtt/topics.ts';
import type { Note } from '../queue/types.ts';
import type { Arrivals } from './arrivals.ts';
import type { Link } from './link.ts';
import { createReceipts } from './receipts.ts';

/** Takes a message that came down; `settle` once it is safe here, and the note with it. */
export type TakeDown = (message: Message, settle: Settle, note?: Note) => void;

export type InflowSettings = {
  readonly link: Pick<Link, 'acknowledge' | 'hold'>;
  readonly take: TakeDown;
  readonly arrivals: Arrivals;
  readonly clock: Clock;
  readonly log: Log;
};

/** The messages that come down one link: each is acknowledged when it is safe here. */
export type Inflow = {
  readonly publish: (packet: Publish) => void;
  /** PUBREL. */
  readonly released: (packetId: number) => void;
  readonly stop: () => void;
};

export function startInflow({ link, take, arrivals, clock, log }: InflowSettings): Inflow {
  const receipts = createReceipts();
  let held = false;
  let stopped = false;

  const breathe = (): void => {
    const full = receipts.owed() >= DOWN_WINDOW;
    if (full === held) return;
    held = full;
    link.hold(full);
  };

  /** Until it is safe: what found no room is offered again, and the upstream keeps it meanwhile. */
  const keep = (message: Message, note: Note | undefined, safe: () => void, lost: () => void): void => {
    if (stopped) {
      lost();
      return;
    }
    take(
      message,
      error => {
        if (error === undefined) {
          safe();
          return;
        }
        log.warn(`What came down is not acknowledged yet: ${error.message}`);
        clock.after(DOWN_RETRY, () => keep(message, note, safe, lost));
      },
      note,
    );
  };

  const owe = (type: number, packetId: number): (() => void) => {
    const pay = receipts.owe(() => {
      if (!stopped) link.acknowledge(type, packetId);
    });
    breathe();
    return () => {
      pay();
      if (!stopped) breathe();
    };
  };

  const receive = (message: Message, packetId: number): void => {
    const arrival = arrivals.arrive(packetId, owe(PUBREC, packetId));
    if (arrival === undefined) return;
    const safe = (): void => arrivals.safe(arrival);
    keep(message, arrivals.note(packetId), safe, () => arrivals.lost(arrival));
  };

  /** Acknowledges a message that can never be passed on: unacknowledged, it would come back with every connection. */
  const discard = ({ qos, messageId }: Publish, problem: string): void => {
    log.warn(`Discarded a message from upstream: ${problem}.`);
    if (qos === 1) owe(PUBACK, messageId)();
    if (qos < 2) return;
    const arrival = arrivals.arrive(messageId, owe(PUBREC, messageId));
    if (arrival !== undefined) arrivals.safe(arrival);
  };

  return {
    publish: packet => {
      const message = messageOf(packet);
      const problem = isTopicName(message.topic) ? messageProblem(message) : 'its topic is not a topic name';
      if (problem !== undefined) discard(packet, problem);
      else if (packet.qos === 0) take(message, () => {});
      else if (packet.qos === 1) keep(message, undefined, owe(PUBACK, packet.messageId), () => {});
      else receive(message, packet.messageId);
    },
    released: packetId =>
      arrivals.release(packetId, () => {
        if (!stopped) link.acknowledge(PUBCOMP, packetId);
      }),
    stop: () => {
      stopped = true;
    },
  };
}

function messageOf({ topic, payload, qos, retain, properties }: Publish): Message {
  const expiry = properties?.messageExpiry;
  return {
    topic,
    body: payload,
    qos,
    retain,
    retained: false,
    origin: { kind: 'upstream' },
    properties: properties?.userProperties ?? NO_PROPERTIES,
    contentType: properties?.contentType,
    payloadFormat: properties?.payloadFormat,
    responseTopic: properties?.responseTopic,
    correlation: properties?.correlation,
    ttl: expiry === undefined ? undefined : expiry * 1000,
  };
}
