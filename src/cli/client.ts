import type { ParseArgsConfig } from 'node:util';
import { stringProblem } from '../core/characters.ts';
import { UPSTREAM_KEEP_ALIVE } from '../core/upstream-limits.ts';
import type { Link, LinkHandler } from '../upstream/link.ts';
import { openLink } from '../upstream/link.ts';
import { systemClock, systemRandom } from './edge.ts';
import { usageFailure } from './flags.ts';

/** Flags that `pub` and `sub` share, as mosquitto's clients have them; -h is the host. */
export const clientOptions = {
  host: { type: 'string', short: 'h', default: '127.0.0.1' },
  port: { type: 'string', short: 'p', default: '1883' },
  qos: { type: 'string', short: 'q', default: '0' },
  id: { type: 'string', short: 'i' },
  username: { type: 'string', short: 'u' },
  pw: { type: 'string', short: 'P' },
  'protocol-version': { type: 'string', short: 'V', default: '311' },
} as const satisfies ParseArgsConfig['options'];

type ClientValues = {
  readonly host: string;
  readonly port: string;
  readonly id?: string | undefined;
  readonly username?: string | undefined;
  readonly pw?: string | undefined;
  readonly 'protocol-version': string;
};

const VERSIONS = ['311', 'mqttv311', '4'];

/** Connects as the flags say. Failure `usage` for what this client cannot do. */
export function openClient(values: ClientValues, clean: boolean, usage: string, handler: LinkHandler): Link {
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw usageFailure('-p must be a port', usage);
  if (!VERSIONS.includes(values['protocol-version'])) {
    throw usageFailure('-V must be 311: this client speaks MQTT 3.1.1', usage);
  }
  if (!clean && values.id === undefined) throw usageFailure('-c needs a client identifier: -i ID', usage);
  for (const [flag, text] of [
    ['-i', values.id],
    ['-u', values.username],
  ] as const) {
    const problem = stringProblem(text ?? '');
    if (problem !== undefined) throw usageFailure(`${flag} ${problem}`, usage);
  }
  const settings = {
    host: values.host,
    port,
    clientId: values.id ?? `skerry-${systemRandom.bytes(6).toString('hex')}`,
    version: 4 as const,
    clean,
    username: values.username,
    password: values.pw,
    keepAlive: UPSTREAM_KEEP_ALIVE,
    clock: systemClock,
  };
  return openLink(settings, handler);
}

/** 0 or 1 of the flag -q. */
export function qosOf(text: string, usage: string): 0 | 1 {
  if (text === '0') return 0;
  if (text === '1') return 1;
  throw usageFailure('-q must be 0 or 1', usage);
}
