import { Failure } from '../core/errors.ts';
import type { Answer } from '../mqtt/client.ts';
import { SUBACK_FAILURE } from '../mqtt/packets.ts';
import type { Publish } from '../mqtt/publish.ts';
import { isTopicFilter } from '../mqtt/topics.ts';
import type { Link } from '../upstream/link.ts';
import { argumentsOf, usageFailure } from './arguments.ts';
import { openClient, qosOf } from './client.ts';
import { print } from './edge.ts';
import { SUB } from './reference/clients.ts';

/** Prints what is published on topics until COUNT messages came, or for ever. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(SUB, args);
  const filters = values.topic ?? [];
  if (filters.length === 0 || !filters.every(isTopicFilter))
    throw usageFailure('-t must name a topic filter', SUB);
  const most = values.count === undefined ? Number.POSITIVE_INFINITY : Number(values.count);
  if (!(most >= 1)) throw usageFailure('-C must be a number from 1 on', SUB);
  const qos = qosOf(values.qos);
  const clean = values['disable-clean-session'] !== true;
  let seen = 0;

  return new Promise((resolve, reject) => {
    const receive = (packet: Publish | Answer): void => {
      if (packet.cmd === 'suback') {
        if (packet.granted.every((code: unknown) => code !== SUBACK_FAILURE)) return;
        reject(
          new Failure('upstream.refused', `The server refused a subscription to ${filters.join(', ')}.`),
        );
        link.close();
      } else if (packet.cmd === 'publish' && seen < most) {
        seen++;
        const body = packet.payload.toString();
        print(values.verbose ? `${packet.topic} ${body}` : body);
        if (packet.qos > 0) acknowledge(link, packet.messageId ?? 0);
        if (seen >= most) link.close();
      }
    };
    const link = openClient(values, clean, SUB, {
      opened: () =>
        link.send({
          cmd: 'subscribe',
          messageId: 1,
          subscriptions: filters.map(topic => ({ topic, qos })),
        }),
      packet: receive,
      acknowledged: () => {},
      writable: () => {},
      closed: failure => {
        if (failure === undefined) resolve(0);
        else reject(failure);
      },
    });
  });
}

function acknowledge(link: Link, messageId: number): void {
  link.send({ cmd: 'puback', messageId });
}
