import { MAX_BUNDLE_NAME_BYTES, MAX_BUNDLE_PART_BYTES } from '../limits.ts';

/** Character that replaces invalid UTF-8 when a name is decoded. */
const REPLACEMENT = '\ufffd';

const MAX_SHOWN_CHARACTERS = 120;

/** Quotes a name for an error message. Escapes control characters and truncates a long name. */
export function quoted(name: string): string {
  return JSON.stringify(
    name.length > MAX_SHOWN_CHARACTERS ? `${name.slice(0, MAX_SHOWN_CHARACTERS)}...` : name,
  );
}

/** Returns the problem of a name or link target in an archive. Undefined if it is valid. */
export function nameProblem(name: string): string | undefined {
  if (name.includes('\0')) return 'a name with a NUL in it';
  if (name.includes(REPLACEMENT)) return 'a name that is not UTF-8';
  if (name.includes('\\')) return 'a name with a backslash in it';
  if (name.startsWith('/')) return 'an absolute name';
  if (Buffer.byteLength(name) > MAX_BUNDLE_NAME_BYTES)
    return `a name longer than ${MAX_BUNDLE_NAME_BYTES} bytes`;
  const long = name.split('/').some(part => Buffer.byteLength(part) > MAX_BUNDLE_PART_BYTES);
  return long ? `a name with a part longer than ${MAX_BUNDLE_PART_BYTES} bytes` : undefined;
}

/** Splits a name into its parts. Omits empty parts and ".". */
export function pathParts(name: string): string[] {
  return name.split('/').filter(part => part !== '' && part !== '.');
}
