import * as v from 'valibot';
import { MAX_BUNDLE_BYTES, MAX_BUNDLE_FILES, MAX_DEPLOYMENT_WATCH_MS } from '../limits.ts';
import { sizeText } from '../units.ts';
import { about, byName, durationUpTo, jsonSchema, object, oneOf, size, variable, whole } from './fields.ts';

const sha256 = v.pipe(
  v.string('must be the SHA-256 of the file'),
  v.regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the file: 64 digits of 0 to 9 and a to f'),
);

/** Location of a file: a path relative to the manifest's folder, or an https URL. */
const from = v.pipe(
  v.string('must be a path or an address such as "https://example.org/app.tar.gz"'),
  v.minLength(1, 'is empty'),
  v.check(
    text => !text.includes('://') || URL.parse(text)?.protocol === 'https:',
    'must be a path or an address that begins with "https://"',
  ),
  jsonSchema({ pattern: '^[Hh][Tt][Tt][Pp][Ss]://|^(?![\\s\\S]*://)' }),
);

/**
 * Fields of a file that is identified by its hash. The location is optional, because a pack (one file with a
 * manifest and all its files) can contain the file.
 */
const artifact = {
  sha256: about('The SHA-256 of the file, 64 digits.', sha256),
  from: v.optional(about("Location: a path relative to the manifest's folder, or an https URL.", from)),
};

/** Schema of an archive with a module's program: `tar`, `tar.gz` or `tar.zst`. */
export const bundle = object({
  ...artifact,
  size: v.optional(
    about('Maximum total bytes of the files in the archive.', size),
    sizeText(MAX_BUNDLE_BYTES),
  ),
  files: v.optional(about('Maximum number of files in the archive.', whole(1, 1_000_000)), MAX_BUNDLE_FILES),
});

export const sealed = v.pipe(
  v.string('must be what "skerry seal" prints'),
  v.regex(/^sealed:[A-Za-z0-9+/=]+$/, 'must be what "skerry seal" prints: it begins with "sealed:"'),
);

const secret = v.pipe(
  v.union(
    [
      sealed,
      object({
        sealed: about('Sealed value that "skerry seal" prints.', sealed),
        as: v.optional(
          about(
            'Passes the value in the variable, or in a file whose path is in the variable.',
            oneOf(['variable', 'file']),
          ),
          'variable',
        ),
      }),
    ],
    'must be what "skerry seal" prints, or an object with "sealed" and "as"',
  ),
  v.transform(value => (typeof value === 'string' ? ({ sealed: value, as: 'variable' } as const) : value)),
);

/** Schema of sealed secrets by environment variable. */
export const secrets = byName(variable, secret, 'must be an object of sealed values by variable name');

/** Schema of hub binaries by architecture. */
export const hub = object({
  x64: v.optional(about('The hub for 64-bit x86.', object(artifact))),
  arm64: v.optional(about('The hub for 64-bit ARM.', object(artifact))),
});

const watch = durationUpTo(MAX_DEPLOYMENT_WATCH_MS, 'must be at most "1d"');

/** Schema of the conditions of a successful deployment. */
export const deployment = object({
  healthyFor: v.optional(about('Time that all modules must be healthy without interruption.', watch), '10s'),
  within: v.optional(
    about(
      'Maximum time until the modules have been healthy for "healthyFor"; then the deployment is rolled back.',
      watch,
    ),
    '2m',
  ),
});

const base64 = (pattern: RegExp, problem: string) => v.pipe(v.string(problem), v.regex(pattern, problem));

const DEVICE = 'must be the name of a device, in which one "*" stands for any characters';

/** Schema of the field `for`: patterns of the names of devices that accept the manifest. */
export const devices = v.pipe(
  v.array(
    v.pipe(v.string(DEVICE), v.regex(/^(?=.{1,64}$)[A-Za-z0-9_-]*\*?[A-Za-z0-9_-]*$/, DEVICE)),
    'must be an array of device names',
  ),
  v.minLength(1, 'must name a device: remove the field if every device may have the manifest'),
);

/** Schema of the signature of a manifest. */
export const signature = object({
  key: about(
    'The public key, 32 bytes in base64.',
    base64(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, 'must be a public key as "skerry sign" writes it'),
  ),
  value: about(
    'The signature, 64 bytes in base64.',
    base64(/^[A-Za-z0-9+/]{85}[AQgw]==$/, 'must be a signature as "skerry sign" writes it'),
  ),
});
