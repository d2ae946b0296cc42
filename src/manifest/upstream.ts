import * as v from 'valibot';
import { about, object, stated } from './fields.ts';
import type { Upstream } from './types.ts';

/** IANA's port of MQTT. */
const MQTT_PORT = 1883;

/** The sentence does not repeat the address: it may hold a password. */
const ADDRESS = 'must be an address such as "mqtt://parent:1883"';

export const upstream = v.pipe(
  object({
    url: about(
      'The parent: mqtt://[user:password@]host[:port].',
      v.pipe(
        v.string(ADDRESS),
        v.check(text => upstreamOf(text) !== undefined, ADDRESS),
        stated({ pattern: '^mqtt://[^/?#]+/?$' }),
      ),
    ),
  }),
  v.transform(
    ({ url }): Upstream => upstreamOf(url) ?? { host: '', port: 0, username: undefined, password: undefined },
  ),
);

/** The address of a parent hub or broker; undefined: it is none. */
function upstreamOf(text: string): Upstream | undefined {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'mqtt:' || url.hostname === '') return undefined;
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '') return undefined;
  const username = decoded(url.username);
  const password = decoded(url.password);
  if (username === undefined || password === undefined) return undefined;
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? MQTT_PORT : Number(url.port),
    username: username === '' ? undefined : username,
    password: password === '' ? undefined : password,
  };
}

/** The address as it is written, with its port. */
export function upstreamText({ host, port, username, password }: Upstream): string {
  const user = encodeURIComponent(username ?? '');
  const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`;
  const login = user === '' && secret === '' ? '' : `${user}${secret}@`;
  return `mqtt://${login}${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
