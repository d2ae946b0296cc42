import { closeSync, constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import { systemCode } from '../../core/errors.ts';

/**
 * File that is written in whole blocks of 4 KB. The promise of a write resolves when the data is on the disk.
 */
export type BlockFile = {
  /** Writes `bytes` at `position`. The memory of `bytes` must begin at a page boundary. */
  readonly write: (bytes: Buffer, position: number) => Promise<void>;
  readonly size: () => number;
  readonly close: () => void;
};

const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC;

/** Bytes of a page of WebAssembly memory. */
const WASM_PAGE = 1 << 16;

/**
 * Allocates memory that begins at a page boundary, as O_DIRECT requires. In JavaScript, only WebAssembly
 * memory has this property.
 */
export function alignedBuffer(bytes: number): Buffer {
  const pages = Math.ceil(bytes / WASM_PAGE);
  return Buffer.from(new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer, 0, bytes);
}

/**
 * Opens a file with O_DIRECT if its file system supports it. Without O_DIRECT the page cache would store the
 * data a second time. A block of 4 KB in the page cache counts as 512 KB if the kernel uses large folios.
 */
export function openBlocks(path: string): BlockFile {
  let direct = true;
  let fd = 0;
  const open = (): void => {
    try {
      fd = openSync(path, direct ? FLAGS | constants.O_DIRECT : FLAGS, 0o600);
    } catch (thrown) {
      fallBack(thrown);
      open();
    }
  };
  /** Falls back to buffered writes. Some file systems refuse O_DIRECT at open, others at the first write. */
  const fallBack = (thrown: unknown): void => {
    if (!direct || systemCode(thrown) !== 'EINVAL') throw thrown;
    direct = false;
  };
  open();
  let size = fstatSync(fd).size;

  const writeAt = async (bytes: Buffer, position: number): Promise<void> => {
    try {
      await writeWhole(fd, bytes, position);
    } catch (thrown) {
      fallBack(thrown);
      closeSync(fd);
      open();
      await writeWhole(fd, bytes, position);
    }
    size = Math.max(size, position + bytes.length);
  };

  return { write: writeAt, size: () => size, close: () => closeSync(fd) };
}

/** Writes all of `bytes` synchronously. Throws ENOSPC if the disk has space only for a part of the bytes. */
export function writeFully(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}

function writeWhole(fd: number, bytes: Buffer, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, position, (error, written) => {
      if (error !== null) reject(error);
      else if (written < bytes.length) reject(new Error('ENOSPC: no space left on device, journal'));
      else resolve();
    });
  });
}
