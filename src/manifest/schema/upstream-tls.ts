import * as v from 'valibot';
import { about, object, stated } from './fields.ts';

const file = v.pipe(v.string('must be the path of a file'), v.minLength(1, 'must be the path of a file'));

const FINGERPRINT = 'must be a SHA-256 in 64 hexadecimal digits, with or without ":"';

const word = v.pipe(
  v.string('must be a name'),
  v.minLength(1, 'must not be empty'),
  v.maxLength(255, 'is too long'),
  v.check(text => Buffer.byteLength(text) <= 255, 'is too long'),
);

/** How a server is known that is reached by TLS, and what it is shown. */
export const tls = v.pipe(
  object({
    ca: v.optional(
      about('Who may vouch for the parent, a PEM file; otherwise whom the system trusts.', file),
    ),
    cert: v.optional(about('The certificate that the parent is shown, a PEM file.', file)),
    key: v.optional(about('Its key, a PEM file.', file)),
    fingerprint: v.optional(
      about(
        "The SHA-256 of the parent's certificate: it alone is taken.",
        v.pipe(
          v.string(FINGERPRINT),
          v.regex(/^[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2}){31}$/, FINGERPRINT),
          v.transform(digits => digits.replaceAll(':', '').toLowerCase()),
        ),
      ),
    ),
    serverName: v.optional(about('The name that the parent is asked for, if it is not the host.', word)),
    alpn: v.optional(
      about(
        'Protocols that are offered (ALPN), for a port that several share.',
        v.pipe(v.array(word, 'must be a list of names'), v.minLength(1, 'must not be empty')),
      ),
    ),
  }),
  v.check(
    ({ cert, key }) => (cert === undefined) === (key === undefined),
    'must have both "cert" and "key", or neither',
  ),
  stated({ dependentRequired: { cert: ['key'], key: ['cert'] } }),
);
