import type { TerminalSize } from '../../supervisor/terminal/shared-terminal.ts';

/**
 * Frame between a terminal and its viewer on the control socket. A frame has one byte for the kind, four
 * bytes for the payload length (big-endian), and the payload.
 */
export type Frame = { readonly kind: FrameKind; readonly payload: Buffer };

/**
 * Frame kinds. The hub sends `output` (bytes) and `ended` (UTF-8 text). The viewer sends `input` (bytes) and
 * `size` (columns and rows, 16 bits each).
 */
const KINDS = ['output', 'ended', 'input', 'size'] as const;

export type FrameKind = (typeof KINDS)[number];

const HEAD_BYTES = 5;
const NOTHING: Buffer = Buffer.alloc(0);

export function frameOf(kind: FrameKind, payload: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(KINDS.indexOf(kind));
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

export function sizeFrame({ columns, rows }: TerminalSize): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt16BE(columns);
  payload.writeUInt16BE(rows, 2);
  return frameOf('size', payload);
}

/**
 * Decodes the payload of a `size` frame. Undefined if the payload has a wrong length, or if columns or rows
 * are 0.
 */
export function sizeIn(payload: Buffer): TerminalSize | undefined {
  if (payload.length !== 4) return undefined;
  return sizeOf(payload.readUInt16BE(), payload.readUInt16BE(2));
}

export function sizeOf(columns: number, rows: number): TerminalSize | undefined {
  const fits = [columns, rows].every(one => Number.isInteger(one) && one >= 1 && one <= 0xffff);
  return fits ? { columns, rows } : undefined;
}

/**
 * Creates a parser of frames. Each call of the parser adds bytes, and returns the frames that are complete.
 * Returns undefined if a frame is invalid, or if a payload is longer than `most` bytes.
 */
export function createFrameReader(most: number): (bytes: Buffer) => Frame[] | undefined {
  let buffered = NOTHING;
  return bytes => {
    buffered = buffered.length === 0 ? bytes : Buffer.concat([buffered, bytes]);
    const frames: Frame[] = [];
    while (buffered.length >= HEAD_BYTES) {
      const kind = KINDS[buffered.readUInt8()];
      const length = buffered.readUInt32BE(1);
      if (kind === undefined || length > most) return undefined;
      if (buffered.length < HEAD_BYTES + length) break;
      frames.push({ kind, payload: buffered.subarray(HEAD_BYTES, HEAD_BYTES + length) });
      buffered = buffered.subarray(HEAD_BYTES + length);
    }
    return frames;
  };
}
