import { resolve } from 'node:path';
import type { ListenerKind, ListenerSettings } from '../broker/listeners/settings.ts';
import { hostPort } from '../core/net/host-port.ts';
import type { ListenerEntry } from '../manifest/types.ts';

/** Open listener: its kind and address. */
export type ListenerAddress = { readonly kind: ListenerKind; readonly address: string };

/**
 * Converts a listener of the manifest to the broker's settings. `home` is the base of relative file paths.
 */
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

/** Returns the address of a listener of the manifest. */
export function addressOf(entry: ListenerEntry, home: string): string {
  if (entry.kind === 'unix') return `unix:${resolve(home, entry.file)}`;
  const { kind, host, port } = entry;
  return `${kind === 'mqtt' ? '' : `${kind}://`}${hostPort(host, port)}`;
}

/**
 * Returns the broker's URL for modules: the first MQTT listener without TLS, else the first listener.
 * Undefined if there are no listeners.
 */
export function urlForModules(listeners: readonly ListenerAddress[]): string | undefined {
  const plain = listeners.find(({ kind }) => kind === 'mqtt');
  if (plain === undefined) return listeners[0]?.address;
  // A module cannot connect to the wildcard addresses 0.0.0.0 and [::].
  return `mqtt://${plain.address.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:')}`;
}
