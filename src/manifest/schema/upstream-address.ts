import { stringProblem } from '../../core/text/characters.ts';
import type { UpstreamAddress } from '../types.ts';

/** IANA ports of MQTT, without and with TLS. */
const PORTS: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883 };

/** Schemes of other clients, with the fix. */
const OTHER_SCHEMES: Readonly<Record<string, string>> = {
  tcp: 'begins with "tcp://": write "mqtt://"',
  ssl: 'begins with "ssl://": write "mqtts://"',
  tls: 'begins with "tls://": write "mqtts://"',
  ws: 'begins with "ws://": an upstream is reached by "mqtt://" or "mqtts://", not by WebSocket',
  wss: 'begins with "wss://": an upstream is reached by "mqtt://" or "mqtts://", not by WebSocket',
};

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;

const USUAL = 'must be an address such as "mqtt://parent:1883"';

/**
 * Explains why an address is invalid, without repeating it, because it may contain a password. Undefined if
 * it is valid.
 */
export function addressProblem(text: string): string | undefined {
  if (addressOf(text) !== undefined) return undefined;
  const [whole, scheme = ''] = SCHEME.exec(text) ?? [];
  if (whole === undefined) return 'must begin with "mqtt://", or with "mqtts://" for TLS';
  if (PORTS[`${scheme.toLowerCase()}:`] === undefined) return OTHER_SCHEMES[scheme.toLowerCase()] ?? USUAL;
  const rest = text.slice(whole.length);
  const login = rest.slice(0, Math.max(0, rest.lastIndexOf('@')));
  const [odd] = /[#/?[\]]/.exec(login) ?? [];
  if (odd !== undefined) {
    return `has "${odd}" in its user or password: write it as "${encodeURIComponent(odd)}"`;
  }
  if (decoded(login) === undefined) return 'has "%" in its user or password: write it as "%25"';
  if (stringProblem(decoded(login) ?? '') !== undefined)
    return 'has a character in its user that MQTT forbids';
  const place = rest.slice(login === '' ? 0 : login.length + 1);
  if (/^[^/?#]+[/?#]/.test(place)) return 'has a path or a query, which an MQTT address cannot have';
  if (/:\d*[^\d\]]*$/.test(place) && URL.parse(`${whole}${place.replace(/:[^:\]]*$/, '')}`) !== null) {
    return 'has a port that is not a number from 1 to 65535';
  }
  return 'has an invalid host';
}

/** Parses the address of an upstream. Undefined if it is invalid. */
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

/** Formats an address with its port. */
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
