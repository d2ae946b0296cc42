import { Failure } from '../../../core/errors.ts';
import { PUBACK, PUBCOMP, PUBREC, PUBREL } from '../../../mqtt/acknowledgement.ts';
import type { Answer } from '../../../mqtt/client.ts';
import { SUBACK_FAILURE } from '../../../mqtt/packets.ts';
import type { Publish } from '../../../mqtt/read-publish.ts';
import { isTopicFilter } from '../../../mqtt/topics.ts';
import { reasonText } from '../../../upstream/link/error-texts.ts';
import { argumentsOf, usageFailure } from '../../arguments.ts';
import { SUB } from '../../reference/clients.ts';
import { systemClock, write } from '../../system.ts';
import { parseFormat } from './format.ts';
import { openClient, qosOf } from './open.ts';

/**
 * Prints messages until COUNT messages have arrived, the timeout has expired, or a signal ends the command.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(SUB, args);
  const filters = values.topic ?? [];
  if (filters.length === 0 || !filters.every(isTopicFilter))
    throw usageFailure('-t must name a topic filter', SUB);
  const count = values.count === undefined ? Number.POSITIVE_INFINITY : Number(values.count);
  if (!(count >= 1)) throw usageFailure('-C must be a number from 1 on', SUB);
  const seconds = values.timeout === undefined ? undefined : Number(values.timeout);
  if (seconds !== undefined && !(seconds > 0)) throw usageFailure('-W must be a number of seconds', SUB);
  const clean = values['disable-clean-session'] !== true;
  const qos = qosOf(values.qos);
  const newline = values['no-newline'] === true ? '' : '\\n';
  const format = parseFormat(`${values.format ?? (values.verbose ? '%t %p' : '%p')}${newline}`);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  /** Packet identifiers of printed QoS 2 messages whose PUBREL has not arrived yet (MQTT 5, 4.3.3). */
  const unreleased = new Set<number>();
  let seen = 0;

  const show = (message: Publish): void => {
    if (message.retain && values['no-retained'] === true) return;
    seen++;
    write(format(message, new Date(systemClock.wall())));
  };
  const receive = (message: Publish): void => {
    if (seen >= count) return;
    const packetId = message.messageId ?? 0;
    if (message.qos < 2 || !unreleased.has(packetId)) show(message);
    if (message.qos === 2) unreleased.add(packetId);
    if (message.qos > 0) link.acknowledge(message.qos === 2 ? PUBREC : PUBACK, packetId);
    if (seen >= count && unreleased.size === 0) link.close();
  };
  const packet = (packet: Publish | Answer): void => {
    if (packet.cmd === 'publish') receive(packet);
    const refused = packet.cmd === 'suback' ? packet.granted.findIndex(code => code >= SUBACK_FAILURE) : -1;
    if (packet.cmd !== 'suback' || refused < 0) return;
    const reason =
      packet.granted[refused] === SUBACK_FAILURE
        ? ''
        : `: ${reasonText(packet.granted[refused] ?? 0, undefined)}`;
    reject(
      new Failure('upstream.refused', `The server refused the subscription to ${filters[refused]}${reason}.`),
    );
    link.close();
  };

  const link = openClient(values, clean, SUB, {
    opened: () =>
      link.send({ cmd: 'subscribe', messageId: 1, subscriptions: filters.map(topic => ({ topic, qos })) }),
    packet,
    acknowledged: (type, packetId) => {
      if (type !== PUBREL) return;
      unreleased.delete(packetId);
      link.acknowledge(PUBCOMP, packetId);
      if (seen >= count && unreleased.size === 0) link.close();
    },
    writable: () => {},
    gone: () => resolve(0),
    closed: failure => {
      if (failure !== undefined) reject(failure);
    },
  });
  if (seconds !== undefined) {
    setTimeout(() => {
      reject(
        new Failure('upstream.unreachable', `The ${seconds} seconds of -W are over, after ${seen} messages.`),
      );
      link.close();
    }, 1000 * seconds);
  }
  return promise;
}
