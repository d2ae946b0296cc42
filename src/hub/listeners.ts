import { resolve } from 'node:path';
import type { ListenerKind, ListenerSettings } from '../broker/listeners/settings.ts';
import type { ListenerEntry } from '../manifest/types.ts';

/** A listener that is open, by its kind, and where. */
export type Listening = { readonly kind: ListenerKind; readonly address: string };

/** What the broker is to listen on: the manifest's, with files by paths from `home` on. */
export function listenerSettings(entry: ListenerEntry, home: string): ListenerSettings {
  if (entry.kind === 'unix') return { ...entry, file: resolve(home, entry.file) };
  if (entry.kind === 'mqtt' || entry.kind === 'ws') return entry;
  const { cert, key, ca, clientCertificates, crl } = entry.tls;
  const tls = {
    cert: resolve(home, cert),
    key: resolve(home, key),
    ca: ca === undefined ? undefined : resolve(home, ca),
    clientCertificates,
    crl: crl === undefined ? undefined : resolve(home, crl),
  };
  return { ...entry, tls };
}

/** The address of a listener as the manifest has it. */
export function addressOf(entry: ListenerEntry, home: string): string {
  if (entry.kind === 'unix') return `unix:${resolve(home, entry.file)}`;
  const { kind, host, port } = entry;
  return `${kind === 'mqtt' ? '' : `${kind}://`}${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Where a module of this machine finds the broker: at the first plain listener, if there is one. */
export function urlForModules(listeners: readonly Listening[]): string | undefined {
  const plain = listeners.find(({ kind }) => kind === 'mqtt');
  if (plain === undefined) return listeners[0]?.address;
  // What listens on all addresses is not an address to connect to.
  return `mqtt://${plain.address.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:')}`;
}
