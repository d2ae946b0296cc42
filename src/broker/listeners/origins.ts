import type { IncomingMessage } from 'node:http';
import type { WebSocketSettings } from './settings.ts';

/** MQTT's subprotocol, and what clients of MQTT 3.1 call it. */
const PROTOCOLS = ['mqtt', 'mqttv3.1'];

/** Names of this machine that no web site of somebody else can have. */
const LOOPBACK_NAME = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** The subprotocol to speak, of those that a client offers. */
export function protocolOf(offered: ReadonlySet<string>): string | false {
  return PROTOCOLS.find(name => offered.has(name)) ?? false;
}

/** The HTTP status that refuses a request for a WebSocket; undefined: it may have one. */
export function objectionTo(
  { url = '', headers }: Pick<IncomingMessage, 'url' | 'headers'>,
  { path, origins }: Pick<WebSocketSettings, 'path' | 'origins'>,
  local: boolean,
): string | undefined {
  if (url.split('?', 1)[0] !== path) return '404 Not Found';
  // MQTT 3.1.1, 6.0.0-3.
  const offered = headers['sec-websocket-protocol']?.split(',').map(name => name.trim()) ?? [];
  if (protocolOf(new Set(offered)) === false) return '400 Bad Request';
  const { origin, host } = headers;
  if (origin === undefined || origins.includes(origin)) return undefined;
  return isSameHost(origin, host, local) ? undefined : '403 Forbidden';
}

/**
 * Any web page may open a WebSocket to anywhere, with its own origin in the request. On this machine a name proves
 * nothing: a page's author may let his name resolve to the loopback address.
 */
function isSameHost(origin: string, host: string | undefined, local: boolean): boolean {
  const page = URL.parse(origin)?.hostname;
  if (page === undefined || page === '' || page !== URL.parse(`http://${host}`)?.hostname) return false;
  return !local || LOOPBACK_NAME.test(page);
}
