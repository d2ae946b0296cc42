import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Arrival, Gate } from './gate.ts';
import type { ClientSocket, Peer } from './socket.ts';

/** Files in PEM, by absolute path, and what is asked of clients. */
export type TlsSettings = {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
  readonly clientCertificates: 'none' | 'optional' | 'required';
  readonly crl: string | undefined;
};

/** Port 0 lets the system choose. */
export type AddressSettings = { readonly host: string; readonly port: number };

export type WebSocketSettings = AddressSettings & {
  /** Of the URL. */
  readonly path: string;
  /** Origins of web pages that may connect, beside those of the same host. */
  readonly origins: readonly string[];
  /** Host names of the hub in the addresses of web pages, beside its own. */
  readonly hosts: readonly string[];
};

export type UnixSettings = {
  readonly file: string;
  readonly mode: number;
  /** The one module that can reach the file: who comes in there is it. */
  readonly module?: string | undefined;
};

/** What to listen on, by its kind. */
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

/** Takes a client in; its socket has not been read from. */
export type Accept = (socket: ClientSocket, peer: Peer, arrival: Arrival) => void;

export type OpenListener = {
  /** `127.0.0.1:1883`, `mqtts://...`, `ws://...`, `wss://...` or `unix:/path`. */
  readonly address: string;
  /** Nobody new comes in; who is in stays. */
  readonly stop: () => void;
  /** Resolves when all are gone; who is still there after a while is cut off. Stops it first. */
  readonly close: () => Promise<void>;
};
