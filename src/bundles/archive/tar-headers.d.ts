/** Types of tar-stream, limited to the functions that are used. The package has no types of its own. */
declare module 'tar-stream/headers.js' {
  type Header = {
    readonly name: string;
    readonly mode: number;
    readonly size: number;
    /** Null if the type is unknown. */
    readonly type: string | null;
    readonly linkname: string | null;
  };
  type Written = {
    readonly name: string;
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
    readonly size: number;
    readonly mtime: Date;
    readonly type: 'file';
  };
  /** Decodes a header. Returns null for a block of zeros. Throws if the checksum or the format is wrong. */
  export function decode(block: Buffer, encoding: 'utf8'): Header | null;
  /** Encodes a header. Returns null if the name is too long. */
  export function encode(header: Written): Buffer | null;
}
