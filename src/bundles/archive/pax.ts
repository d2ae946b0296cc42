/** Fields of a pax extended header that the hub uses. */
export type ExtendedHeader = {
  readonly name?: string;
  readonly linkname?: string;
  readonly size?: number;
  readonly sparse?: boolean;
};

const SPACE = 0x20;
const NEWLINE = 0x0a;

/**
 * Parses the records of an extended header (POSIX.1-2024, pax, "Extended Header"). A record consists of a
 * length, a space, `key=value` and a line feed. Ignores fields that ExtendedHeader does not have, such as
 * times and attributes. Undefined if a record is malformed.
 */
export function parseExtendedHeader(bytes: Buffer): ExtendedHeader | undefined {
  let found: ExtendedHeader = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(SPACE, at);
    const digits = space < 0 ? '' : bytes.toString('latin1', at, space);
    if (!/^[1-9]\d{0,6}$/.test(digits)) return undefined;
    const end = at + Number(digits);
    if (end > bytes.length || end <= space + 1 || bytes[end - 1] !== NEWLINE) return undefined;
    const record = bytes.toString('utf8', space + 1, end - 1);
    const equals = record.indexOf('=');
    if (equals < 1) return undefined;
    const field = fieldOf(record.slice(0, equals), record.slice(equals + 1));
    if (field === undefined) return undefined;
    found = { ...found, ...field };
    at = end;
  }
  return found;
}

function fieldOf(key: string, value: string): ExtendedHeader | undefined {
  if (key === 'path') return { name: value };
  if (key === 'linkpath') return { linkname: value };
  if (key === 'size') return /^\d{1,15}$/.test(value) ? { size: Number(value) } : undefined;
  return key.startsWith('GNU.sparse.') ? { sparse: true } : {};
}
