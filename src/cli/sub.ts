import { Failure } from '../core/errors.ts';
import type { Answer } from '../mqtt/client.ts';
import { SUBACK_FAILURE } from '../mqtt/packets.ts';
import type { Publish } from '../mqtt/publish.ts';
import { isTopicFilter } from '../mqtt/topics.ts';
import type { Link } from '../upstream/link.ts';
import { clientOptions, openClient, qosOf } from './client.ts';
import { print } from './edge.ts';
import { flagsOf, usageFailure } from './flags.ts';

export const usage =
  'skerry sub -t FILTER [-t FILTER ...] [-v] [-C COUNT] [-c] [-h HOST] [-p PORT] [-q 0|1] [-i ID] [-u USER] [-P PASSWORD] [-V 311]';

const options = {
  ...clientOptions,
  topic: { type: 'string', short: 't', multiple: true },
  verbose: { type: 'boolean', short: 'v' },
  count: { type: 'string', short: 'C' },
  'disable-clean-session': { type: 'boolean', short: 'c' },
} as const;

/** Prints what is published on topics until COUNT messages came, or for ever. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = flagsOf(args, options, usage);
  const filters = values.topic ?? [];
  if (filters.length === 0 || !filters.every(isTopicFilter))
    throw usageFailure('-t must name a topic filter', usage);
  const most = values.count === undefined ? Number.POSITIVE_INFINITY : Number(values.count);
  if (!(most >= 1)) throw usageFailure('-C must be a number from 1 on', usage);
  const qos = qosOf(values.qos, usage);
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
    const link = openClient(values, clean, usage, {
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
