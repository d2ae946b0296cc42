import * as v from 'valibot';
import { MAX_CONNECTIONS } from '../../core/limits.ts';
import type { Address, ListenerEntry } from '../types.ts';
import { about, choice, didYouMean, jsonSchema, matching, object, oneOf, whole } from './fields.ts';

const addressText = v.pipe(
  v.string('must be "host:port"'),
  v.check(
    text => addressOf(text) !== undefined,
    ({ input }) => `must be "host:port", and is "${input}"`,
  ),
  jsonSchema({ pattern: '^(\\[[0-9a-fA-F:.]+\\]|[^:\\s/]+):[0-9]{1,5}$' }),
  v.transform(text => addressOf(text) ?? { host: '', port: 0 }),
);

const address = about('host:port; an IPv6 host in brackets.', addressText);

const file = v.pipe(v.string('must be the path of a file'), v.minLength(1, 'must be the path of a file'));

const CERTIFICATES = ['none', 'optional', 'required'] as const;

const tls = {
  cert: about('Certificate of the listener, a PEM file.', file),
  key: about('Private key of the certificate, a PEM file.', file),
  ca: v.optional(about('CA of the client certificates, a PEM file.', file)),
  clientCertificates: v.optional(
    about('Client certificates: none, optional or required.', oneOf(CERTIFICATES)),
    'none',
  ),
  crl: v.optional(
    about(
      'Revoked client certificates: certificate revocation lists (CRL) of each issuer in "ca", a PEM file.',
      file,
    ),
  ),
};

type WrittenTls = {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string | undefined;
  readonly clientCertificates: (typeof CERTIFICATES)[number];
  readonly crl?: string | undefined;
};

const HOST = 'must be a host name such as "hub.example.com"';
const HOST_NAME = '^[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63}){0,30}$';

const ORIGIN = 'must be an origin such as "https://example.com"';

const origin = v.pipe(
  v.string(ORIGIN),
  v.check(text => URL.parse(text)?.origin === text, ORIGIN),
  jsonSchema({ pattern: '^[a-z]+://[^/?#@]+$' }),
);

const web = {
  path: v.optional(
    about('Path of the URL.', v.pipe(v.string('must be a path'), v.startsWith('/', 'must begin with "/"'))),
    '/mqtt',
  ),
  origins: v.optional(
    about(
      'Origins of web pages that may connect, in addition to pages of the same host.',
      v.array(origin, 'must be an array of origins'),
    ),
    [],
  ),
  hosts: v.optional(
    about(
      'Names of the same host, in addition to its addresses, its own name and the names in the certificate.',
      v.array(matching(HOST_NAME, HOST), 'must be an array of host names'),
    ),
    [],
  ),
};

/** Fields that all kinds of listeners have. */
const bounded = {
  maxConnections: v.optional(about('Maximum connections of this listener.', whole(1, MAX_CONNECTIONS))),
};

const MODES: Readonly<Record<string, number>> = { '0600': 0o600, '0660': 0o660, '0666': 0o666 };

/** JSON Schema keywords that permit `ca` and `clientCertificates` only together. */
const CERTIFICATES_TOGETHER = {
  oneOf: [
    {
      required: ['ca', 'clientCertificates'],
      properties: { clientCertificates: { not: { const: 'none' } } },
    },
    { properties: { ca: false, crl: false, clientCertificates: { const: 'none' } } },
  ],
};

/** Schemas of listeners by kind. The kind is the name of the field with the address. */
const KINDS = {
  mqtt: v.pipe(
    object({ mqtt: address, ...bounded }),
    v.transform(({ mqtt, maxConnections }): ListenerEntry => ({ kind: 'mqtt', ...mqtt, maxConnections })),
  ),
  mqtts: v.pipe(
    object({ mqtts: address, ...bounded, ...tls }),
    jsonSchema(CERTIFICATES_TOGETHER),
    v.transform(
      ({ mqtts, maxConnections, ...rest }): ListenerEntry => ({
        kind: 'mqtts',
        ...mqtts,
        maxConnections,
        tls: tlsOf(rest),
      }),
    ),
  ),
  ws: v.pipe(
    object({ ws: address, ...bounded, ...web }),
    v.transform(
      ({ ws, maxConnections, path, origins, hosts }): ListenerEntry => ({
        kind: 'ws',
        ...ws,
        maxConnections,
        path,
        origins,
        hosts,
      }),
    ),
  ),
  wss: v.pipe(
    object({ wss: address, ...bounded, ...web, ...tls }),
    jsonSchema(CERTIFICATES_TOGETHER),
    v.transform(
      ({ wss, maxConnections, path, origins, hosts, ...rest }): ListenerEntry => ({
        kind: 'wss',
        ...wss,
        maxConnections,
        path,
        origins,
        hosts,
        tls: tlsOf(rest),
      }),
    ),
  ),
  unix: v.pipe(
    object({
      unix: about("Path of the socket, relative to the manifest's folder.", file),
      mode: v.optional(about('File mode of the socket.', oneOf(Object.keys(MODES))), '0600'),
      ...bounded,
    }),
    v.transform(
      ({ unix, mode, maxConnections }): ListenerEntry => ({
        kind: 'unix',
        file: unix,
        mode: MODES[mode] ?? 0o600,
        maxConnections,
      }),
    ),
  ),
} as const;

const NAMES = Object.keys(KINDS);

/** Schema that rejects a listener with no kind or with several kinds. */
const rejectUnclearKind = v.pipe(
  v.looseObject({}, 'must be an object such as { "mqtt": "127.0.0.1:1883" }'),
  v.check(
    () => false,
    ({ input }) => {
      const fields = Object.keys(input);
      const near = fields.some(field => NAMES.includes(field))
        ? []
        : fields.map(field => didYouMean(field, NAMES));
      return `must have exactly one of ${choice(NAMES)}${near.find(text => text !== '') ?? ''}`;
    },
  ),
  v.transform((): ListenerEntry => ({ kind: 'unix', file: '', mode: 0, maxConnections: undefined })),
);

/**
 * Schema of a listener: a union of all kinds. Errors are reported only for the kind that the listener has.
 */
export const listener = {
  ...v.union(Object.values(KINDS)),
  '~run': (dataset: v.UnknownDataset, config: v.Config<v.BaseIssue<unknown>>) =>
    kindOf(dataset.value)['~run'](dataset, config),
};

function kindOf(entry: unknown): v.GenericSchema<unknown, ListenerEntry> {
  const fields = typeof entry === 'object' && entry !== null ? Object.keys(entry) : [];
  const kinds = Object.entries(KINDS).filter(([kind]) => fields.includes(kind));
  const [only, another] = kinds;
  return only === undefined || another !== undefined ? rejectUnclearKind : only[1];
}

function tlsOf({ cert, key, ca, clientCertificates, crl }: WrittenTls) {
  return { cert, key, ca, clientCertificates, crl };
}

/** Parses `host:port`, with an IPv6 host in brackets. Returns undefined if the text is invalid. */
export function addressOf(text: string): Address | undefined {
  const parts = /^(\[[0-9a-fA-F:.]+\]|[^:\s/]+):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[2]);
  const host = parts?.[1];
  if (host === undefined || !(port <= 65_535)) return undefined;
  return { host: host.replace(/^\[|\]$/g, ''), port };
}
