import * as v from 'valibot';
import type { Address, ListenerEntry } from './types.ts';

const address = v.pipe(
  v.string('must be "host:port"'),
  v.check(
    text => addressOf(text) !== undefined,
    ({ input }) => `must be "host:port", and is "${input}"`,
  ),
  v.transform(text => addressOf(text) ?? { host: '', port: 0 }),
);

const file = v.pipe(v.string('must be the path of a file'), v.minLength(1, 'must be the path of a file'));

const CERTIFICATES = ['none', 'optional', 'required'] as const;

const tls = {
  cert: file,
  key: file,
  ca: v.optional(file),
  clientCertificates: v.optional(
    v.picklist(CERTIFICATES, 'must be "none", "optional" or "required"'),
    'none',
  ),
};

type WrittenTls = {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string | undefined;
  readonly clientCertificates: (typeof CERTIFICATES)[number];
};

const web = {
  path: v.optional(v.pipe(v.string('must be a path'), v.startsWith('/', 'must begin with "/"')), '/mqtt'),
  origins: v.optional(
    v.array(
      v.pipe(
        v.string('must be an origin such as "https://example.com"'),
        v.check(text => URL.parse(text)?.origin === text, 'must be an origin such as "https://example.com"'),
      ),
      'must be a list of origins',
    ),
    [],
  ),
};

const MODES: Readonly<Record<string, number>> = { '0600': 0o600, '0660': 0o660, '0666': 0o666 };

/** What checks clients' certificates, and what is checked, go together. */
function withTls<Entry extends v.GenericSchema<unknown, WrittenTls>>(entry: Entry) {
  return v.pipe(
    entry,
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const { ca, clientCertificates } = dataset.value;
      if ((ca === undefined) === (clientCertificates === 'none')) return;
      const message =
        ca === undefined
          ? 'is missing: it says which certificates of clients are good'
          : 'is for certificates of clients: say "clientCertificates": "optional" or "required"';
      addIssue({ message, path: [{ type: 'object', origin: 'value', input: {}, key: 'ca', value: ca }] });
    }),
  );
}

/** By its kind, which is the field that says where it listens. */
const KINDS = {
  mqtt: v.pipe(
    v.strictObject({ mqtt: address }),
    v.transform(({ mqtt }): ListenerEntry => ({ kind: 'mqtt', ...mqtt })),
  ),
  mqtts: v.pipe(
    withTls(v.strictObject({ mqtts: address, ...tls })),
    v.transform(({ mqtts, ...rest }): ListenerEntry => ({ kind: 'mqtts', ...mqtts, tls: tlsOf(rest) })),
  ),
  ws: v.pipe(
    v.strictObject({ ws: address, ...web }),
    v.transform(({ ws, path, origins }): ListenerEntry => ({ kind: 'ws', ...ws, path, origins })),
  ),
  wss: v.pipe(
    withTls(v.strictObject({ wss: address, ...web, ...tls })),
    v.transform(
      ({ wss, path, origins, ...rest }): ListenerEntry => ({
        kind: 'wss',
        ...wss,
        path,
        origins,
        tls: tlsOf(rest),
      }),
    ),
  ),
  unix: v.pipe(
    v.strictObject({
      unix: file,
      mode: v.optional(v.picklist(Object.keys(MODES), 'must be "0600", "0660" or "0666"'), '0600'),
    }),
    v.transform(
      ({ unix, mode }): ListenerEntry => ({ kind: 'unix', file: unix, mode: MODES[mode] ?? 0o600 }),
    ),
  ),
} as const;

const NAMES = Object.keys(KINDS)
  .map(name => `"${name}"`)
  .join(', ');

const unclear = v.pipe(
  v.looseObject({}, 'must be an object such as { "mqtt": "127.0.0.1:1883" }'),
  v.check(() => false, `must have exactly one of ${NAMES}`),
  v.transform((): ListenerEntry => ({ kind: 'unix', file: '', mode: 0 })),
);

/** One listener of the manifest. */
export const listener = v.lazy((entry): v.GenericSchema<unknown, ListenerEntry> => {
  const fields = typeof entry === 'object' && entry !== null ? Object.keys(entry) : [];
  const kinds = Object.entries(KINDS).filter(([kind]) => fields.includes(kind));
  const [only, another] = kinds;
  return only === undefined || another !== undefined ? unclear : only[1];
});

function tlsOf({ cert, key, ca, clientCertificates }: WrittenTls) {
  return { cert, key, ca, clientCertificates };
}

/** `host:port`, an IPv6 host in brackets; undefined: it is none. */
export function addressOf(text: string): Address | undefined {
  const parts = /^(\[[0-9a-fA-F:.]+\]|[^:\s/]+):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[2]);
  const host = parts?.[1];
  if (host === undefined || !(port <= 65_535)) return undefined;
  return { host: host.replace(/^\[|\]$/g, ''), port };
}
