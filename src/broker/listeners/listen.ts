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

type Listen<Kind extends ListenerKind> = (
  settings: Settings[Kind],
  accept: Accept,
  host: ListenerHost,
) => Promise<OpenListener>;

/** What brings TLS or HTTP along is loaded when it is asked for: the others do not pay for it. */
const LISTEN: { readonly [Kind in ListenerKind]: () => Promise<Listen<Kind>> } = {
  mqtt: async () => listenTcp,
  mqtts: async () => (await import('./tls.ts')).listenTls,
  ws: async () => (await import('./websocket.ts')).listenWebSocket,
  wss: async () => (await import('./secure-websocket.ts')).listenSecureWebSocket,
  unix: async () => listenUnix,
};

/**
 * Opens a listener, and gives `accept` who comes in.
 * @throws Failure `listener.in-use`, `listener.refused`
 */
export async function listen<Kind extends ListenerKind>(
  settings: ListenerSettings<Kind>,
  accept: Accept,
  host: ListenerHost,
): Promise<OpenListener> {
  const load: () => Promise<Listen<Kind>> = LISTEN[settings.kind];
  return (await load())(settings, accept, host);
}
