import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Arrival, Gate } from './gate.ts';
import type { ClientSocket, Peer } from './socket.ts';

/** PEM files by absolute path, and the requirement for client certificates. */
export type TlsSettings = {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
  readonly clientCertificates: 'none' | 'optional' | 'required';
  readonly crl: string | undefined;
};

/** TCP address. Port 0 lets the system choose. */
export type AddressSettings = { readonly host: string; readonly port: number };

export type WebSocketSettings = AddressSettings & {
  /** Path of the URL. */
  readonly path: string;
  /** Permitted origins of web pages, in addition to the same host. */
  readonly origins: readonly string[];
  /** Host names of the hub in web page addresses, in addition to its own. */
  readonly hosts: readonly string[];
};

export type UnixSettings = {
  readonly file: string;
  readonly mode: number;
  /** Module that alone can reach the socket file, so every client there is that module. */
  readonly module?: string | undefined;
};

/** Settings of a listener by kind. */
export type Settings = {
  readonly mqtt: AddressSettings;
  readonly mqtts: AddressSettings & { readonly tls: TlsSettings };
  readonly ws: WebSocketSettings;
  readonly wss: WebSocketSettings & { readonly tls: TlsSettings };
  readonly unix: UnixSettings;
};

export type ListenerKind = keyof Settings;

export type ListenerSettings<Kind extends ListenerKind = ListenerKind> = {
  readonly [One in Kind]: {
    readonly kind: One;
    readonly maxConnections?: number | undefined;
  } & Settings[One];
}[Kind];

export type ListenerHost = { readonly clock: Clock; readonly log: Log; readonly gate: Gate };

/** Accepts a client whose socket has not been read yet. */
export type Accept = (socket: ClientSocket, peer: Peer, arrival: Arrival) => void;

export type OpenListener = {
  /** `127.0.0.1:1883`, `mqtts://...`, `ws://...`, `wss://...` or `unix:/path`. */
  readonly address: string;
  /** Closes the listening socket; connections stay. */
  readonly stop: () => void;
  /** Closes the listener and waits for its connections; destroys those that remain after a while. */
  readonly close: () => Promise<void>;
};
