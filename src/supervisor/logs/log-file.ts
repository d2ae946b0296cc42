import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { reasonOf, systemCode } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { MAX_LOG_FILE_BYTES, MAX_OLD_LOG_FILES } from '../limits.ts';
import type { LineSink } from '../stdio/line-reader.ts';

/**
 * Maximum bytes of lines that are buffered while the previous batch is written. While the buffer is full, the
 * module's output is not read (back-pressure).
 */
const LOG_BATCH_BYTES = 1 << 16;

const NEWLINE = Buffer.from('\n');

/**
 * Rotated log of one module. The log consists of the current file and at most MAX_OLD_LOG_FILES older files.
 * `<path>.1` is the newest of the older files.
 */
export type LogFile = {
  /** Returns the sink for one stream. Each line is written as `<wall time, ISO 8601> <stream> <line>`. */
  readonly sink: (stream: string) => LineSink;
  /** Returns the number of lines that were lost because of write errors. */
  readonly lost: () => number;
  /** Resolves when all lines are written and the file is closed. */
  readonly close: () => Promise<void>;
};

/**
 * Creates a log file. `onReady` is called when the log accepts lines again after back-pressure. If a batch
 * cannot be written, its lines are lost. Only the first of several write errors in a row is logged.
 */
export function createLogFile(path: string, clock: Clock, log: Log, onReady: () => void): LogFile {
  const file = createRotatedFile(path);
  let batch: Buffer[] = [];
  let bytes = 0;
  let lines = 0;
  let lost = 0;
  let hasFailed = false;
  let writing: Promise<void> | undefined;

  /** Writes batches until all lines are written. */
  const writeBatches = async (): Promise<void> => {
    while (lines > 0) {
      const [data, count] = [Buffer.concat(batch, bytes), lines];
      batch = [];
      bytes = 0;
      lines = 0;
      try {
        await file.append(data);
        hasFailed = false;
      } catch (error) {
        lost += count;
        if (!hasFailed)
          log.warn(`Cannot write the log ${path} (${reasonOf(error)}): log lines of the module are lost.`);
        hasFailed = true;
      }
      onReady();
    }
    writing = undefined;
  };

  const append = (stream: string, line: Buffer): void => {
    const head = Buffer.from(`${new Date(clock.wall()).toISOString()} ${stream} `);
    batch.push(head, line, NEWLINE);
    bytes += head.length + line.length + NEWLINE.length;
    lines += 1;
    writing ??= writeBatches();
  };

  return {
    sink: stream => ({ ready: () => bytes < LOG_BATCH_BYTES, write: line => append(stream, line) }),
    lost: () => lost,
    close: async () => {
      await writing;
      await file.close();
    },
  };
}

type RotatedFile = { readonly append: (data: Buffer) => Promise<void>; readonly close: () => Promise<void> };

/**
 * Creates a rotated file. The file is opened at the first write. After an error, it is opened again at the
 * next write.
 */
function createRotatedFile(path: string): RotatedFile {
  let handle: FileHandle | undefined;
  let size = 0;

  const openFile = async (): Promise<FileHandle> => {
    // This import happens on demand, because a hub without modules needs no log files.
    const { mkdir, open } = await import('node:fs/promises');
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const opened = await open(path, 'a', 0o600);
    size = (await opened.stat()).size;
    handle = opened;
    return opened;
  };

  const close = async (): Promise<void> => {
    const closing = handle;
    handle = undefined;
    await closing?.close();
  };

  const rotate = async (): Promise<void> => {
    await close();
    for (let age = MAX_OLD_LOG_FILES - 1; age > 0; age -= 1)
      await renameIfExists(`${path}.${age}`, `${path}.${age + 1}`);
    await renameIfExists(path, `${path}.1`);
  };

  return {
    append: async data => {
      try {
        let current = handle ?? (await openFile());
        if (size > 0 && size + data.length > MAX_LOG_FILE_BYTES) {
          await rotate();
          current = await openFile();
        }
        await current.appendFile(data);
        size += data.length;
      } catch (error) {
        await close();
        throw error;
      }
    },
    close,
  };
}

async function renameIfExists(from: string, to: string): Promise<void> {
  const { rename } = await import('node:fs/promises');
  try {
    await rename(from, to);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
