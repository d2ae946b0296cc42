import { MAX_BUNDLE_NAME_BYTES, MAX_BUNDLE_PART_BYTES } from './limits.ts';

/** What stands for bytes that are not UTF-8. */
const REPLACEMENT = '\ufffd';

const SHOWN = 120;

/** A name in a sentence: what cannot be seen is written out, and what is long is cut. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > SHOWN ? `${name.slice(0, SHOWN)}...` : name);
}

/** What is wrong with a name, or a link's target, in an archive; undefined: it can be looked at part by part. */
export function objectionTo(name: string): string | undefined {
  if (name.includes('\0')) return 'a name with a NUL in it';
  if (name.includes(REPLACEMENT)) return 'a name that is not UTF-8';
  if (name.includes('\\')) return 'a name with a backslash in it';
  if (name.startsWith('/')) return 'an absolute name';
  if (Buffer.byteLength(name) > MAX_BUNDLE_NAME_BYTES)
    return `a name longer than ${MAX_BUNDLE_NAME_BYTES} bytes`;
  const long = name.split('/').some(part => Buffer.byteLength(part) > MAX_BUNDLE_PART_BYTES);
  return long ? `a name with a part longer than ${MAX_BUNDLE_PART_BYTES} bytes` : undefined;
}

/** The parts of a name that count. */
export function partsOf(name: string): string[] {
  return name.split('/').filter(part => part !== '' && part !== '.');
}
