import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { WebSocketSettings } from '../settings.ts';

/** WebSocket subprotocols of MQTT and of MQTT 3.1. */
const PROTOCOLS = ['mqtt', 'mqttv3.1'];

/** Selected subprotocol of a client's offer. */
export function protocolOf(offered: ReadonlySet<string>): string | false {
  return PROTOCOLS.find(name => offered.has(name)) ?? false;
}

/**
 * HTTP status that refuses an upgrade request. Undefined if it is accepted. `own` are the hub's host names.
 */
export function objectionTo(
  { url = '', headers }: Pick<IncomingMessage, 'url' | 'headers'>,
  { path, origins }: Pick<WebSocketSettings, 'path' | 'origins'>,
  own: readonly string[],
): string | undefined {
  if (url.split('?', 1)[0] !== path) return '404 Not Found';
  // MQTT 3.1.1, 6.0.0-3.
  const offered = headers['sec-websocket-protocol']?.split(',').map(name => name.trim()) ?? [];
  if (protocolOf(new Set(offered)) === false) return '400 Bad Request';
  const { origin, host } = headers;
  if (origin === undefined || origins.includes(origin)) return undefined;
  return isSameHost(origin, host, own) ? undefined : '403 Forbidden';
}

/**
 * True if the origin is the hub itself. A web page can open a WebSocket to any host, with its own origin in
 * the request. Equal origin and host prove nothing, because the page's domain may resolve to the hub's
 * address (DNS rebinding). So the host must be an address or one of the hub's own names.
 */
function isSameHost(origin: string, host: string | undefined, own: readonly string[]): boolean {
  const page = hostOf(origin);
  if (page === undefined || page !== hostOf(`http://${host}`)) return false;
  return isIP(page.replace(/^\[|\]$/g, '')) !== 0 || own.some(name => isNamed(page, name.toLowerCase()));
}

/** Host of a URL in lower case, without the final dot of an absolute name. */
function hostOf(url: string): string | undefined {
  const host = URL.parse(url)?.hostname.replace(/\.$/, '');
  return host === '' ? undefined : host;
}

/** True if the host matches `name`, whose first label may be `*` (RFC 6125, 6.4.3). */
function isNamed(host: string, name: string): boolean {
  if (!name.startsWith('*.')) return host === name;
  const dot = host.indexOf('.');
  return dot > 0 && host.slice(dot) === name.slice(1);
}

/** Host names of this machine and of a listener, in addition to addresses. */
export function ownNames({ host, hosts }: Pick<WebSocketSettings, 'host' | 'hosts'>): readonly string[] {
  const machine = hostname();
  const local = machine === '' ? [] : [machine, `${machine.split('.', 1)[0]}.local`];
  return ['localhost', ...local, host, ...hosts];
}
