import * as v from 'valibot';
import { MAX_BUNDLE_BYTES, MAX_BUNDLE_FILES } from '../core/limits.ts';
import { duration, size, variable, whole } from './fields.ts';

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
);

/** One file, known by what is in it, and where it can be had; in a pack it need not be said. */
const artifact = { sha256, from: v.optional(from) };

/** An archive with a module's program: `tar`, `tar.gz` or `tar.zst`. */
export const bundle = v.strictObject({
  ...artifact,
  /** Bytes and number of the files in it, at most. */
  size: v.optional(size, MAX_BUNDLE_BYTES),
  files: v.optional(whole(1, 1_000_000), MAX_BUNDLE_FILES),
});

const sealed = v.pipe(
  v.string('must be what "skerry seal" prints'),
  v.regex(/^sealed:[A-Za-z0-9+/=]+$/, 'must be what "skerry seal" prints: it begins with "sealed:"'),
);

const secret = v.pipe(
  v.union(
    [sealed, v.strictObject({ sealed, as: v.optional(v.picklist(['variable', 'file']), 'variable') })],
    'must be what "skerry seal" prints, or an object with "sealed" and "as"',
  ),
  v.transform(value => (typeof value === 'string' ? ({ sealed: value, as: 'variable' } as const) : value)),
);

/** Sealed values by the variable of the module's environment that has them, or has the path of a file that does. */
export const secrets = v.record(variable, secret);

/** Hubs of this version, by architecture. */
export const hub = v.strictObject({
  x64: v.optional(v.strictObject(artifact)),
  arm64: v.optional(v.strictObject(artifact)),
});

/** When a change of what runs has succeeded. */
export const deployment = v.strictObject({
  /** All modules must be well for so long, */
  healthyFor: v.optional(duration, '10s'),
  /** and that within this time. */
  within: v.optional(duration, '2m'),
});

const base64 = (bytes: number, complaint: string) =>
  v.pipe(
    v.string(complaint),
    v.check(text => {
      const decoded = Buffer.from(text, 'base64');
      return decoded.length === bytes && decoded.toString('base64') === text;
    }, complaint),
  );

/** Who vouches for the manifest. */
export const signature = v.strictObject({
  key: base64(32, 'must be a public key as "skerry sign" writes it'),
  value: base64(64, 'must be a signature as "skerry sign" writes it'),
});
