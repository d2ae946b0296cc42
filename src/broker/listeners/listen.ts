import type {
  Accept,
  ListenerHost,
  ListenerKind,
  ListenerSettings,
  OpenListener,
  Settings,
} from './settings.ts';
import { listenTcp } from './tcp.ts';
import { listenUnix } from './unix.ts';

/** Function that opens a listener of one kind. */
type Listen<Kind extends ListenerKind> = (
  settings: Settings[Kind],
  accept: Accept,
  host: ListenerHost,
) => Promise<OpenListener>;

/** Functions that load the code of a listener. TLS and HTTP are loaded only if a listener uses them. */
const LISTEN: { readonly [Kind in ListenerKind]: () => Promise<Listen<Kind>> } = {
  mqtt: async () => listenTcp,
  mqtts: async () => (await import('./tls/tls.ts')).listenTls,
  ws: async () => (await import('./websocket/websocket.ts')).listenWebSocket,
  wss: async () => (await import('./websocket/secure-websocket.ts')).listenSecureWebSocket,
  unix: async () => listenUnix,
};

/**
 * Opens a listener, and calls `accept` for each client. Throws the Failure `listener.in-use` or
 * `listener.refused`.
 */
export async function listen<Kind extends ListenerKind>(
  settings: ListenerSettings<Kind>,
  accept: Accept,
  host: ListenerHost,
): Promise<OpenListener> {
  const load: () => Promise<Listen<Kind>> = LISTEN[settings.kind];
  return (await load())(settings, accept, host);
}
