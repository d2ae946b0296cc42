import type { TerminalSize } from '../supervisor/terminal/shared-terminal.ts';

/**
 * What runs over the control socket between a terminal and its viewer: a byte that says what it is, four for the length
 * of what follows (big endian), and that.
 */
export type Frame = { readonly kind: FrameKind; readonly payload: Buffer };

/** `output` and `ended` (in words, UTF-8) come from the hub, `input` and `size` (two numbers of 16 bits) from the viewer. */
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

/** Undefined: it is none, or nothing could be shown in it. */
export function sizeIn(payload: Buffer): TerminalSize | undefined {
  if (payload.length !== 4) return undefined;
  return sizeOf(payload.readUInt16BE(), payload.readUInt16BE(2));
}

export function sizeOf(columns: number, rows: number): TerminalSize | undefined {
  const fits = [columns, rows].every(one => Number.isInteger(one) && one >= 1 && one <= 0xffff);
  return fits ? { columns, rows } : undefined;
}

/** Takes bytes as they come, and gives the frames that are whole; undefined: the bytes are none, or one is beyond `most`. */
export function createFrameReader(most: number): (bytes: Buffer) => Frame[] | undefined {
  let held = NOTHING;
  return bytes => {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    const frames: Frame[] = [];
    while (held.length >= HEAD_BYTES) {
      const kind = KINDS[held.readUInt8()];
      const length = held.readUInt32BE(1);
      if (kind === undefined || length > most) return undefined;
      if (held.length < HEAD_BYTES + length) break;
      frames.push({ kind, payload: held.subarray(HEAD_BYTES, HEAD_BYTES + length) });
      held = held.subarray(HEAD_BYTES + length);
    }
    return frames;
  };
}
