import { read, writeSync } from 'node:fs';
import type { Disk } from './disk.ts';

/*
 * The kernel's FUSE protocol (include/uapi/linux/fuse.h, version 7.31) for one file, which is the root of the
 * mount. A request has a header of 40 bytes, an answer one of 16. The kernel caches no written page, so the
 * writer continues only after the answer to its write.
 */
const VERSION = { major: 7, minor: 31 };
const REQUEST_HEADER = 40;
const ANSWER_HEADER = 16;
const WRITE_HEADER = 40;
const MAX_WRITE = 1 << 20;
const MAX_PAGES = 1 << 22;
const BIG_WRITES = 1 << 5;
const REGULAR_FILE = 0o100_600;
const ENOSYS = 38;

/** Milliseconds of a flush, as on flash, so that cuts often happen during a flush. */
const FLUSH_TIME = 4;
const FSYNC = 20;

/** Requests without an answer. */
const FORGET = 2;
const INTERRUPT = 36;
const BATCH_FORGET = 42;

type Answer = (body: Buffer, disk: Disk) => Buffer;

/** Answers by operation. Other operations are refused with ENOSYS. */
const ANSWERS: Readonly<Record<number, Answer>> = {
  3: (_, disk) => attributes(disk), // GETATTR
  4: (_, disk) => attributes(disk), // SETATTR
  14: () => Buffer.alloc(16), // OPEN
  15: (body, disk) => disk.read(Number(body.readBigUInt64LE(8)), body.readUInt32LE(16)), // READ
  16: (body, disk) => {
    // WRITE
    const size = body.readUInt32LE(16);
    disk.write(
      Number(body.readBigUInt64LE(8)),
      Buffer.from(body.subarray(WRITE_HEADER, WRITE_HEADER + size)),
    );
    const answer = Buffer.alloc(8);
    answer.writeUInt32LE(size);
    return answer;
  },
  18: () => Buffer.alloc(0), // RELEASE
  [FSYNC]: (_, disk) => {
    disk.flush();
    return Buffer.alloc(0);
  },
  25: () => Buffer.alloc(0), // FLUSH, which a file's closing asks for
  26: () => greeting(), // INIT
};

function attributes({ size }: Disk): Buffer {
  const answer = Buffer.alloc(104);
  answer.writeBigUInt64LE(1n, 16);
  answer.writeBigUInt64LE(BigInt(size), 24);
  answer.writeBigUInt64LE(BigInt(size / 512), 32);
  answer.writeUInt32LE(REGULAR_FILE, 76);
  answer.writeUInt32LE(1, 80);
  answer.writeUInt32LE(4096, 96);
  return answer;
}

function greeting(): Buffer {
  const answer = Buffer.alloc(64);
  answer.writeUInt32LE(VERSION.major, 0);
  answer.writeUInt32LE(VERSION.minor, 4);
  answer.writeUInt32LE(MAX_PAGES | BIG_WRITES, 12);
  answer.writeUInt16LE(16, 16);
  answer.writeUInt16LE(12, 18);
  answer.writeUInt32LE(MAX_WRITE, 20);
  answer.writeUInt32LE(1, 24);
  answer.writeUInt16LE(MAX_WRITE / 4096, 28);
  return answer;
}

/**
 * Answers the requests of `device`, a mounted /dev/fuse, until the returned function is called.
 */
export function serveFile(device: number, disk: Disk): () => void {
  const request = Buffer.allocUnsafe(MAX_WRITE + 4096);
  let stopped = false;
  const next = (): void => {
    read(device, request, 0, request.length, null, (error, length) => {
      if (stopped) return;
      if (error !== null) throw error;
      const asked = request.subarray(0, length);
      if (operationOf(asked) === FSYNC) setTimeout(respond, FLUSH_TIME, asked);
      else respond(asked);
    });
  };
  const respond = (asked: Buffer): void => {
    if (stopped) return;
    answer(device, asked, disk);
    next();
  };
  next();
  return () => {
    stopped = true;
  };
}

function answer(device: number, request: Buffer, disk: Disk): void {
  const operation = operationOf(request);
  if (operation === FORGET || operation === INTERRUPT || operation === BATCH_FORGET) return;
  const body = ANSWERS[operation]?.(request.subarray(REQUEST_HEADER), disk);
  const header = Buffer.alloc(ANSWER_HEADER);
  header.writeUInt32LE(ANSWER_HEADER + (body?.length ?? 0), 0);
  header.writeInt32LE(body === undefined ? -ENOSYS : 0, 4);
  request.copy(header, 8, 8, 16);
  writeSync(device, Buffer.concat([header, body ?? Buffer.alloc(0)]));
}

function operationOf(request: Buffer): number {
  return request.readUInt32LE(4);
}
