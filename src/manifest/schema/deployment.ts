import * as v from 'valibot';
import { MAX_BUNDLE_BYTES, MAX_BUNDLE_FILES, MAX_DEPLOYMENT_WATCH } from '../../core/limits.ts';
import { sizeText } from '../units.ts';
import { about, byName, durationUpTo, object, oneOf, size, stated, variable, whole } from './fields.ts';

const sha256 = v.pipe(
  v.string('must be the SHA-256 of the file'),
  v.regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the file: 64 digits of 0 to 9 and a to f'),
);

/** A path from the manifest's folder on, or an address. */
const from = v.pipe(
  v.string('must be a path or an address such as "https://example.org/app.tar.gz"'),
  v.minLength(1, 'is empty'),
  v.check(
    text => !text.includes('://') || URL.parse(text)?.protocol === 'https:',
    'must be a path or an address that begins with "https://"',
  ),
  stated({ pattern: '^[Hh][Tt][Tt][Pp][Ss]://|^(?![\\s\\S]*://)' }),
);

/** One file, known by what is in it, and where it can be had; in a pack it need not be said. */
const artifact = {
  sha256: about('The SHA-256 of the file, 64 digits.', sha256),
  from: v.optional(about("Where it is: a path from the manifest's folder on, or an https address.", from)),
};

/** An archive with a module's program: `tar`, `tar.gz` or `tar.zst`. */
export const bundle = object({
  ...artifact,
  size: v.optional(about('Bytes of the files in it, at most.', size), sizeText(MAX_BUNDLE_BYTES)),
  files: v.optional(about('Number of the files in it, at most.', whole(1, 1_000_000)), MAX_BUNDLE_FILES),
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
        sealed: about('What "skerry seal" prints.', sealed),
        as: v.optional(
          about(
            'Whether the variable has the value itself, or the path of a file with it.',
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

/** Sealed values by the variable of the module's environment that has them, or has the path of a file that does. */
export const secrets = byName(variable, secret, 'must be an object of sealed values by variables');

/** Hubs of this version, by architecture. */
export const hub = object({
  x64: v.optional(about('The hub for 64-bit x86.', object(artifact))),
  arm64: v.optional(about('The hub for 64-bit ARM.', object(artifact))),
});

const watch = durationUpTo(MAX_DEPLOYMENT_WATCH, 'must be at most "1d"');

/** When a change of what runs has succeeded. */
export const deployment = object({
  healthyFor: v.optional(about('All modules must be well for so long,', watch), '10s'),
  within: v.optional(
    about('and that within this time; otherwise the last good set comes back.', watch),
    '2m',
  ),
});

const base64 = (pattern: RegExp, complaint: string) =>
  v.pipe(v.string(complaint), v.regex(pattern, complaint));

const DEVICE = 'must be the name of a device, in which one "*" stands for any characters';

/** Devices that a manifest is meant for. */
export const devices = v.pipe(
  v.array(
    v.pipe(v.string(DEVICE), v.regex(/^(?=.{1,64}$)[A-Za-z0-9_-]*\*?[A-Za-z0-9_-]*$/, DEVICE)),
    'must be a list of device names',
  ),
  v.minLength(1, 'must name a device: leave it out if every device may have the manifest'),
);

/** Who vouches for the manifest. */
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
