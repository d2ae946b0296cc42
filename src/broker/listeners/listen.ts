import type {
  Accept,
  ListenerHost,
  ListenerKind,
  ListenerSettings,
  OpenListener,
  Settings,
} from './settings.ts';
import { listenTcp } from './tcp.ts';
import { listenTls } from './tls.ts';
import { listenUnix } from './unix.ts';
import { listenSecureWebSocket, listenWebSocket } from './websocket.ts';

type Listen<Kind extends ListenerKind> = (
  settings: Settings[Kind],
  accept: Accept,
  host: ListenerHost,
) => Promise<OpenListener>;

const LISTEN: { readonly [Kind in ListenerKind]: Listen<Kind> } = {
  mqtt: listenTcp,
  mqtts: listenTls,
  ws: listenWebSocket,
  wss: listenSecureWebSocket,
  unix: listenUnix,
};

/**
 * Opens a listener, and gives `accept` who comes in.
 * @throws Failure `listener.in-use`, `listener.refused`
 */
export function listen<Kind extends ListenerKind>(
  settings: ListenerSettings<Kind>,
  accept: Accept,
  host: ListenerHost,
): Promise<OpenListener> {
  const open: Listen<Kind> = LISTEN[settings.kind];
  return open(settings, accept, host);
}
