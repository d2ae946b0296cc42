/** Types of the used part of tar-stream, which has none of its own. */
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
  /** Null for a block of zeros; throws at one whose checksum or format is wrong. */
  export function decode(block: Buffer, encoding: 'utf8'): Header | null;
  /** Null if the name does not fit. */
  export function encode(header: Written): Buffer | null;
}
