import { createInterface } from 'node:readline';
import type { Failure } from '../core/errors.ts';
import { IN_FLIGHT_WINDOW } from '../core/limits.ts';
import type { Message } from '../core/message.ts';
import { PLAIN } from '../core/message.ts';
import { PLAIN_DISPATCH } from '../mqtt/dispatch.ts';
import { createInFlight } from '../mqtt/inflight.ts';
import { isTopicName } from '../mqtt/topics.ts';
import { argumentsOf, usageFailure } from './arguments.ts';
import { openClient, qosOf } from './client.ts';
import { PUB } from './reference/clients.ts';

/** Publishes one message, or every line of standard input; ends when all are out, at QoS 1 acknowledged. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(PUB, args);
  const { topic, message } = values;
  if (topic === undefined || !isTopicName(topic)) throw usageFailure('-t must name a topic', PUB);
  const sources = [message !== undefined, values.lines === true, values.null === true];
  if (sources.filter(Boolean).length !== 1) throw usageFailure('Give one of -m, -l and -n', PUB);
  const qos = qosOf(values.qos);
  const retain = values.retain === true;
  const sender = await openSender(values, topic, qos, retain);
  // Not before: an interface that nobody iterates over yet drops its lines.
  const bodies = values.lines ? createInterface({ input: process.stdin }) : [message ?? ''];
  for await (const body of bodies) await sender.send(body);
  await sender.finish();
  return 0;
}

type Sender = { readonly send: (body: string) => Promise<void>; readonly finish: () => Promise<void> };

/** Sends with at most a window of QoS 1 messages unacknowledged; rejects when the connection ends early. */
function openSender(
  values: Parameters<typeof openClient>[0],
  topic: string,
  qos: 0 | 1,
  retain: boolean,
): Promise<Sender> {
  const inFlight = createInFlight<true>();
  let unacknowledged = 0;
  let failure: Failure | undefined;
  let roomy: (() => void) | undefined;

  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) {
      if (failure !== undefined) throw failure;
      await new Promise<void>(resolve => {
        roomy = resolve;
      });
    }
  };

  return new Promise((resolve, reject) => {
    const link = openClient(values, true, PUB, {
      opened: () => resolve(sender),
      packet: () => {},
      acknowledged: (_, packetId) => {
        if (inFlight.release(packetId) === undefined) return;
        unacknowledged--;
        roomy?.();
      },
      writable: () => roomy?.(),
      closed: ended => {
        failure = ended;
        if (ended !== undefined) reject(ended);
        roomy?.();
      },
    });
    const sender: Sender = {
      send: async body => {
        const message = messageOn(topic, body);
        await until(() => unacknowledged < IN_FLIGHT_WINDOW);
        const packetId = qos === 0 ? 0 : inFlight.take(true);
        unacknowledged += qos;
        await until(
          () => link.publish(message, { ...PLAIN_DISPATCH, topic, qos, packetId, retain }) !== 'full',
        );
      },
      finish: async () => {
        await until(() => unacknowledged === 0);
        link.close();
      },
    };
  });
}

function messageOn(topic: string, body: string): Message {
  return {
    topic,
    body: Buffer.from(body),
    ...PLAIN,
    qos: 0,
    origin: { kind: 'client', client: '' },
  };
}
