import * as v from 'valibot';
import { about, jsonSchema, object } from './fields.ts';

const file = v.pipe(v.string('must be the path of a file'), v.minLength(1, 'must be the path of a file'));

const FINGERPRINT = 'must be a SHA-256 in 64 hexadecimal digits, with or without ":"';

const word = v.pipe(
  v.string('must be a name'),
  v.minLength(1, 'must not be empty'),
  v.maxLength(255, 'is too long'),
  v.check(text => Buffer.byteLength(text) <= 255, 'is too long'),
);

/** Schema of the TLS settings of an upstream. */
export const tls = v.pipe(
  object({
    ca: v.optional(
      about(
        'CA certificates of the upstream, a PEM file; default are the CA certificates of the system.',
        file,
      ),
    ),
    cert: v.optional(about('Client certificate, a PEM file.', file)),
    key: v.optional(about('Private key of the client certificate, a PEM file.', file)),
    fingerprint: v.optional(
      about(
        'SHA-256 fingerprint of the only accepted server certificate.',
        v.pipe(
          v.string(FINGERPRINT),
          v.regex(/^[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2}){31}$/, FINGERPRINT),
          v.transform(digits => digits.replaceAll(':', '').toLowerCase()),
        ),
      ),
    ),
    serverName: v.optional(about('Server name for SNI and verification, if it is not the host.', word)),
    alpn: v.optional(
      about(
        'ALPN protocols, for a port that several protocols share.',
        v.pipe(v.array(word, 'must be an array of names'), v.minLength(1, 'must not be empty')),
      ),
    ),
  }),
  v.check(
    ({ cert, key }) => (cert === undefined) === (key === undefined),
    'must have both "cert" and "key", or neither',
  ),
  jsonSchema({ dependentRequired: { cert: ['key'], key: ['cert'] } }),
);
