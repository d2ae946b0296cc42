import { stringProblem } from '../core/characters.ts';
import { UPSTREAM_KEEP_ALIVE } from '../core/upstream-limits.ts';
import type { Link, LinkHandler } from '../upstream/link.ts';
import { openLink } from '../upstream/link.ts';
import { usageFailure } from './arguments.ts';
import { systemClock, systemRandom } from './edge.ts';
import type { Definition } from './reference/definition.ts';

type ClientValues = {
  readonly host: string;
  readonly port: string;
  readonly id?: string | undefined;
  readonly username?: string | undefined;
  readonly pw?: string | undefined;
  readonly 'protocol-version': string;
};

/** Connects as the flags say. Failure `usage` for what this client cannot do. */
export function openClient(
  values: ClientValues,
  clean: boolean,
  definition: Definition,
  handler: LinkHandler,
): Link {
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw usageFailure('-p must be a port', definition);
  if (!clean && values.id === undefined)
    throw usageFailure('-c needs a client identifier: -i ID', definition);
  for (const [option, text] of [
    ['-i', values.id],
    ['-u', values.username],
  ] as const) {
    const problem = stringProblem(text ?? '');
    if (problem !== undefined) throw usageFailure(`${option} ${problem}`, definition);
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

/** The quality of service of an option whose choices are checked. */
export function qosOf(option: string): 0 | 1 {
  return option === '1' ? 1 : 0;
}
