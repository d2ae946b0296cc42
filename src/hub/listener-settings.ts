import { resolve } from 'node:path';
import type { ListenerKind, ListenerSettings } from '../broker/listeners/settings.ts';
import { hostPort } from '../core/net/host-port.ts';
import type { ListenerEntry } from '../manifest/types.ts';

/** Kind and address of a listener. */
export type ListenerAddress = { readonly kind: ListenerKind; readonly address: string };

/**
 * Converts a listener of the manifest to the broker's settings. Relative file paths are resolved against
 * `home`.
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
 * Returns the broker's URL for modules. This is the URL of the first MQTT listener without TLS. If there is
 * no such listener, returns the address of the first listener. Undefined if there are no listeners.
 */
export function urlForModules(listeners: readonly ListenerAddress[]): string | undefined {
  const plain = listeners.find(({ kind }) => kind === 'mqtt');
  if (plain === undefined) return listeners[0]?.address;
  // The wildcard addresses 0.0.0.0 and [::] are replaced, because a module cannot connect to them.
  return `mqtt://${plain.address.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:')}`;
}
