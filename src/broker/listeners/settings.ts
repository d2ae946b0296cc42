import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Arrival, Gate } from './gate.ts';
import type { ClientSocket, Peer } from './socket.ts';

/** Settings of a TLS listener. All files are PEM files, given by absolute path. */
export type TlsSettings = {
  /** File with the certificate of the listener and its chain. */
  readonly cert: string;
  readonly key: string;
  /** File with the certificates of the CAs that sign client certificates. */
  readonly ca: string | undefined;
  readonly clientCertificates: 'none' | 'optional' | 'required';
  /** File with the certificate revocation lists of the CAs in `ca`. */
  readonly crl: string | undefined;
};

/** TCP address of a listener. If the port is 0, the system selects a free port. */
export type AddressSettings = { readonly host: string; readonly port: number };

export type WebSocketSettings = AddressSettings & {
  /** Path of the URL under which clients open a WebSocket. */
  readonly path: string;
  /** Origins of web pages that are permitted to connect, in addition to pages of the hub's own host names. */
  readonly origins: readonly string[];
  /** Host names of the hub, in addition to the name of the machine and the names in the hub's certificate. */
  readonly hosts: readonly string[];
};

export type UnixSettings = {
  /** Absolute path of the socket file. */
  readonly file: string;
  /** File mode of the socket file. */
  readonly mode: number;
  /**
   * Name of the module to which every client of this listener belongs. Only this module can access the socket
   * file.
   */
  readonly module?: string | undefined;
};

/** Settings of each kind of listener. */
export type Settings = {
  readonly mqtt: AddressSettings;
  readonly mqtts: AddressSettings & { readonly tls: TlsSettings };
  readonly ws: WebSocketSettings;
  readonly wss: WebSocketSettings & { readonly tls: TlsSettings };
  readonly unix: UnixSettings;
};

export type ListenerKind = keyof Settings;

/** Settings of a listener with its kind and its maximum number of clients. */
export type ListenerSettings<Kind extends ListenerKind = ListenerKind> = {
  readonly [Each in Kind]: {
    readonly kind: Each;
    readonly maxConnections?: number | undefined;
  } & Settings[Each];
}[Kind];

/** Services that all listeners use. */
export type ListenerHost = { readonly clock: Clock; readonly log: Log; readonly gate: Gate };

/** Passes an accepted connection to the broker. No data has been read from `socket` yet. */
export type Accept = (socket: ClientSocket, peer: Peer, arrival: Arrival) => void;

export type OpenListener = {
  /** Address for the log: `127.0.0.1:1883`, `mqtts://...`, `ws://...`, `wss://...` or `unix:/path`. */
  readonly address: string;
  /** Closes the listening socket. Connections stay open. */
  readonly stop: () => void;
  /**
   * Closes the listener, and waits until its connections are closed. Destroys the connections that are still
   * open after CLOSE_LINGER_MS.
   */
  readonly close: () => Promise<void>;
};
