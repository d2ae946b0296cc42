import { resolve } from 'node:path';
import type { ListenerKind, ListenerSettings } from '../broker/listeners/settings.ts';
import type { ListenerEntry } from '../manifest/types.ts';

/** Open listener: its kind and address. */
export type ListenerAddress = { readonly kind: ListenerKind; readonly address: string };

/** Broker settings of a listener of the manifest. Relative file paths start at `home`. */
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

/** Address of a listener in the manifest. */
export function addressOf(entry: ListenerEntry, home: string): string {
  if (entry.kind === 'unix') return `unix:${resolve(home, entry.file)}`;
  const { kind, host, port } = entry;
  return `${kind === 'mqtt' ? '' : `${kind}://`}${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** URL for modules: the first plain listener. Undefined if there is none. */
export function urlForModules(listeners: readonly ListenerAddress[]): string | undefined {
  const plain = listeners.find(({ kind }) => kind === 'mqtt');
  if (plain === undefined) return listeners[0]?.address;
  // 0.0.0.0 is not an address to connect to.
  return `mqtt://${plain.address.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:')}`;
}
