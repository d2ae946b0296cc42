import { stringProblem } from '../core/characters.ts';
import type { UpstreamAddress } from './types.ts';

/** IANA's ports of MQTT, with and without TLS. */
const PORTS: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883 };

/** The address of a parent hub or broker; undefined: it is none. */
export function addressOf(text: string): UpstreamAddress | undefined {
  const url = URL.parse(text);
  if (url === null || url.hostname === '') return undefined;
  const usual = PORTS[url.protocol];
  if (usual === undefined) return undefined;
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '') return undefined;
  const username = decoded(url.username);
  const password = decoded(url.password);
  if (username === undefined || password === undefined) return undefined;
  if (stringProblem(username) !== undefined) return undefined;
  return {
    secure: url.protocol === 'mqtts:',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? usual : Number(url.port),
    username: username === '' ? undefined : username,
    password: password === '' ? undefined : password,
  };
}

/** The address as it is written, with its port. */
export function addressText({ secure, host, port, username, password }: UpstreamAddress): string {
  const user = encodeURIComponent(username ?? '');
  const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`;
  const login = user === '' && secret === '' ? '' : `${user}${secret}@`;
  return `mqtt${secure ? 's' : ''}://${login}${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
