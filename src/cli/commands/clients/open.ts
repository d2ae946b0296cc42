import { stringProblem } from '../../../core/text/characters.ts';
import { isTopicName } from '../../../mqtt/topics.ts';
import type { Link, LinkHandler } from '../../../upstream/link/link.ts';
import { openLink } from '../../../upstream/link/link.ts';
import { usageFailure } from '../../arguments.ts';
import type { Definition } from '../../reference/definition.ts';
import { systemClock, systemRandom } from '../../system.ts';
import type { DialValues } from './dial.ts';
import { transportOf } from './dial.ts';

/** Options that `pub` and `sub` share. */
export type ClientValues = DialValues & {
  readonly qos: string;
  readonly id?: string | undefined;
  readonly username?: string | undefined;
  readonly pw?: string | undefined;
  readonly keepalive: string;
  readonly 'protocol-version': string;
  readonly 'will-topic'?: string | undefined;
  readonly 'will-payload'?: string | undefined;
  readonly 'will-qos': string;
  readonly 'will-retain'?: boolean | undefined;
};

/** Session Expiry Interval of a session that never expires (MQTT 5, 3.1.2.11.2). */
const NEVER_EXPIRES = 0xffff_ffff;

const MAX_KEEP_ALIVE = 65_535;

/**
 * Connects to the broker that the options name. Throws Failure `usage` for invalid options. All other
 * failures are passed to `handler.closed`.
 */
export function openClient(
  values: ClientValues,
  clean: boolean,
  definition: Definition,
  handler: LinkHandler,
): Link {
  const wrong = (complaint: string) => usageFailure(complaint, definition);
  const { port, dial } = transportOf(values, definition);
  if (!clean && values.id === undefined) throw wrong('-c needs a client identifier: -i ID');
  for (const [option, text] of [
    ['-i', values.id],
    ['-u', values.username],
  ] as const) {
    const problem = stringProblem(text ?? '');
    if (problem !== undefined) throw wrong(`${option} ${problem}`);
  }
  const keepAlive = Number(values.keepalive);
  if (!Number.isInteger(keepAlive) || keepAlive < 0 || keepAlive > MAX_KEEP_ALIVE) {
    throw wrong(`-k must be 0 to ${MAX_KEEP_ALIVE}`);
  }
  const version = versionOf(values);
  const settings = {
    host: values.unix ?? values.host,
    port,
    dial,
    clientId: values.id ?? `skerry-${systemRandom.bytes(6).toString('hex')}`,
    version,
    clean,
    ...(clean ? {} : { sessionExpiry: NEVER_EXPIRES }),
    will: willOf(values, definition),
    username: values.username,
    password: values.pw,
    keepAlive,
    clock: systemClock,
  };
  return openLink(settings, handler);
}

function willOf(values: ClientValues, definition: Definition) {
  const { 'will-topic': topic, 'will-payload': payload, 'will-retain': retain = false } = values;
  if (topic === undefined) {
    if (payload === undefined && !retain) return undefined;
    throw usageFailure('A will needs --will-topic', definition);
  }
  if (!isTopicName(topic)) throw usageFailure('--will-topic must name a topic', definition);
  return { topic, payload: Buffer.from(payload ?? ''), qos: qosOf(values['will-qos']), retain };
}

function versionOf({ 'protocol-version': version }: ClientValues): 4 | 5 {
  return version.endsWith('5') ? 5 : 4;
}

/** Converts the value of a QoS option, which is "0", "1" or "2". */
export function qosOf(option: string): 0 | 1 | 2 {
  return option === '2' ? 2 : option === '1' ? 1 : 0;
}
