import { hostPort } from '../../core/net/host-port.ts';
import { stringProblem } from '../../core/text/characters.ts';
import type { UpstreamAddress } from '../types.ts';

/** Default ports of MQTT by scheme, assigned by IANA. */
const PORTS: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883 };

/** Error texts for URL schemes that other MQTT clients accept. */
const OTHER_SCHEMES: Readonly<Record<string, string>> = {
  tcp: 'begins with "tcp://": write "mqtt://"',
  ssl: 'begins with "ssl://": write "mqtts://"',
  tls: 'begins with "tls://": write "mqtts://"',
  ws: 'begins with "ws://": an upstream is reached by "mqtt://" or "mqtts://", not by WebSocket',
  wss: 'begins with "wss://": an upstream is reached by "mqtt://" or "mqtts://", not by WebSocket',
};

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;

const GENERAL_PROBLEM = 'must be an address such as "mqtt://parent:1883"';

/**
 * Returns the reason why an address is invalid. Returns undefined if the address is valid. The reason does
 * not contain the address, because an address can contain a password.
 */
export function addressProblem(text: string): string | undefined {
  if (addressOf(text) !== undefined) return undefined;
  const [whole, scheme = ''] = SCHEME.exec(text) ?? [];
  if (whole === undefined) return 'must begin with "mqtt://", or with "mqtts://" for TLS';
  if (PORTS[`${scheme.toLowerCase()}:`] === undefined)
    return OTHER_SCHEMES[scheme.toLowerCase()] ?? GENERAL_PROBLEM;
  const rest = text.slice(whole.length);
  const login = rest.slice(0, Math.max(0, rest.lastIndexOf('@')));
  const [special] = /[#/?[\]]/.exec(login) ?? [];
  if (special !== undefined) {
    return `has "${special}" in its user or password: write it as "${encodeURIComponent(special)}"`;
  }
  if (decoded(login) === undefined) return 'has "%" in its user or password: write it as "%25"';
  if (stringProblem(decoded(login) ?? '') !== undefined)
    return 'has a character in its user that MQTT forbids';
  const hostAndPort = rest.slice(login === '' ? 0 : login.length + 1);
  if (/^[^/?#]+[/?#]/.test(hostAndPort)) return 'has a path or a query, which an MQTT address cannot have';
  if (
    /:\d*[^\d\]]*$/.test(hostAndPort) &&
    URL.parse(`${whole}${hostAndPort.replace(/:[^:\]]*$/, '')}`) !== null
  ) {
    return 'has a port that is not a number from 1 to 65535';
  }
  return 'has an invalid host';
}

/** Parses the address of an upstream. Returns undefined if the address is invalid. */
export function addressOf(text: string): UpstreamAddress | undefined {
  const url = URL.parse(text);
  if (url === null || url.hostname === '') return undefined;
  const defaultPort = PORTS[url.protocol];
  if (defaultPort === undefined) return undefined;
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '') return undefined;
  const username = decoded(url.username);
  const password = decoded(url.password);
  if (username === undefined || password === undefined) return undefined;
  if (stringProblem(username) !== undefined) return undefined;
  return {
    secure: url.protocol === 'mqtts:',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? defaultPort : Number(url.port),
    username: username === '' ? undefined : username,
    password: password === '' ? undefined : password,
  };
}

/** Formats an address as a URL with its port. */
export function addressText({ secure, host, port, username, password }: UpstreamAddress): string {
  const user = encodeURIComponent(username ?? '');
  const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`;
  const login = user === '' && secret === '' ? '' : `${user}${secret}@`;
  return `mqtt${secure ? 's' : ''}://${login}${hostPort(host, port)}`;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
