import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { WebSocketSettings } from '../settings.ts';

/** WebSocket subprotocols: `mqtt`, and `mqttv3.1` of older clients. */
const PROTOCOLS = ['mqtt', 'mqttv3.1'];

/**
 * Returns a supported subprotocol that the client offers. False if the client offers no supported
 * subprotocol.
 */
export function protocolOf(offered: ReadonlySet<string>): string | false {
  return PROTOCOLS.find(name => offered.has(name)) ?? false;
}

/**
 * Returns the HTTP status with which an upgrade request is refused. Undefined if the request is accepted.
 * `ownHosts` are the host names of the hub.
 */
export function upgradeRefusal(
  { url = '', headers }: Pick<IncomingMessage, 'url' | 'headers'>,
  { path, origins }: Pick<WebSocketSettings, 'path' | 'origins'>,
  ownHosts: readonly string[],
): string | undefined {
  if (url.split('?', 1)[0] !== path) return '404 Not Found';
  // The client must offer a subprotocol of MQTT (MQTT 3.1.1, 6.0.0-3).
  const offered = headers['sec-websocket-protocol']?.split(',').map(name => name.trim()) ?? [];
  if (protocolOf(new Set(offered)) === false) return '400 Bad Request';
  const { origin, host } = headers;
  if (origin === undefined || origins.includes(origin)) return undefined;
  return isSameHost(origin, host, ownHosts) ? undefined : '403 Forbidden';
}

/**
 * True if the web page that opens the WebSocket comes from the hub itself. The browser sends the page's
 * origin and the requested host, which must be equal. In addition, the host must be an IP address or in
 * `ownHosts`, because an attacker can make any other domain name resolve to the hub's address (DNS
 * rebinding).
 */
function isSameHost(origin: string, host: string | undefined, ownHosts: readonly string[]): boolean {
  const page = hostOf(origin);
  if (page === undefined || page !== hostOf(`http://${host}`)) return false;
  return isIP(page.replace(/^\[|\]$/g, '')) !== 0 || ownHosts.some(name => isNamed(page, name.toLowerCase()));
}

/**
 * Returns the host of a URL in lower case, without the final dot of an absolute name. Undefined if the URL is
 * invalid.
 */
function hostOf(url: string): string | undefined {
  const host = URL.parse(url)?.hostname.replace(/\.$/, '');
  return host === '' ? undefined : host;
}

/** True if `host` matches `name`. The first label of `name` can be the wildcard `*` (RFC 6125, 6.4.3). */
function isNamed(host: string, name: string): boolean {
  if (!name.startsWith('*.')) return host === name;
  const dot = host.indexOf('.');
  return dot > 0 && host.slice(dot) === name.slice(1);
}

/** Returns the host names of this machine and of a listener. */
export function ownNames({ host, hosts }: Pick<WebSocketSettings, 'host' | 'hosts'>): readonly string[] {
  const machine = hostname();
  const local = machine === '' ? [] : [machine, `${machine.split('.', 1)[0]}.local`];
  return ['localhost', ...local, host, ...hosts];
}
