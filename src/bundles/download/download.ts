import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { backoffMs } from '../../core/async/backoff.ts';
import type { Clock } from '../../core/clock.ts';
import { Failure, reasonOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { diskFailure } from '../disk.ts';
import {
  DOWNLOAD_PROGRESS_BYTES,
  DOWNLOAD_TIMEOUT_MS,
  INITIAL_DOWNLOAD_BACKOFF_MS,
  MAX_DOWNLOAD_BACKOFF_MS,
  MAX_DOWNLOAD_TRIES,
} from '../limits.ts';
import type { RequestContext } from './https-request.ts';
import { createAgent, openDownload, redactedUrl, unreachable } from './https-request.ts';

export type DownloadRequest = {
  /** Name of the file in errors, such as `modules.camera.bundle`. */
  readonly subject: string;
  readonly url: URL;
  /** Path of the target file. If it exists, the download resumes at its end. */
  readonly file: string;
  readonly maxBytes: number;
  /** Throws an error if the disk has too little space for the remaining bytes. */
  readonly checkSpace: (remaining: number, total: number) => Promise<void>;
};

export type FetchContext = {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Called with the progress of the download. */
  readonly progress?: ((progress: DownloadProgress) => void) | undefined;
};

/**
 * Progress of a download. `of` is the size of the file in bytes, or 0 if the server does not send the size.
 */
export type DownloadProgress = { readonly subject: string; readonly bytes: number; readonly of: number };

/** Flags to open a partial download. */
const PART = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

/**
 * Downloads a file over HTTPS. Resumes with exponential back-off after each interruption. Throws Failure
 * `bundle.unreachable`, `bundle.refused`, `bundle.space` or `bundle.write`, or the reason of the signal. The
 * received bytes stay in the file.
 */
export async function download(wanted: DownloadRequest, context: FetchContext): Promise<void> {
  const { clock, log, signal } = context;
  const { subject, url } = wanted;
  const agent = await createAgent();
  const file = await open(wanted.file, PART, 0o600).catch((thrown: unknown) => {
    throw diskFailure(thrown, subject, wanted.file);
  });
  try {
    for (let failed = 0; ; ) {
      const before = (await file.stat()).size;
      try {
        await tryOnce(wanted, file, before, { ...context, agent });
        return await file.sync();
      } catch (thrown) {
        signal.throwIfAborted();
        if (thrown instanceof Failure) throw thrown;
        const received = (await file.stat()).size - before;
        failed = received >= DOWNLOAD_PROGRESS_BYTES ? 1 : failed + 1;
        if (failed >= MAX_DOWNLOAD_TRIES) throw unreachable(subject, url, reasonOf(thrown));
        const wait = backoffMs(failed - 1, {
          initialMs: INITIAL_DOWNLOAD_BACKOFF_MS,
          maxMs: MAX_DOWNLOAD_BACKOFF_MS,
        });
        log.warn(
          `Retrying the download of ${subject} from ${redactedUrl(url)} in ${wait / 1000} s: ${reasonOf(thrown)}`,
        );
        await pause(clock, wait, signal);
      }
    }
  } finally {
    await file.close();
  }
}

/** Makes one attempt. Aborts if the server sends no data for DOWNLOAD_TIMEOUT_MS. */
async function tryOnce(
  wanted: DownloadRequest,
  file: FileHandle,
  offset: number,
  { clock, signal, agent, progress }: FetchContext & Pick<RequestContext, 'agent'>,
): Promise<void> {
  const silence = new AbortController();
  const timeOut = (): void =>
    silence.abort(new Error(`no data for ${DOWNLOAD_TIMEOUT_MS / 1000} s (timeout)`));
  let cancel = clock.after(DOWNLOAD_TIMEOUT_MS, timeOut);
  const restartTimer = (): void => {
    cancel();
    cancel = clock.after(DOWNLOAD_TIMEOUT_MS, timeOut);
  };
  try {
    const combined = AbortSignal.any([signal, silence.signal]);
    const response = await openDownload(wanted.url, offset, {
      subject: wanted.subject,
      signal: combined,
      agent,
    });
    try {
      await writeBody(wanted, file, response, offset, (bytes, of) => {
        restartTimer();
        progress?.({ subject: wanted.subject, bytes, of });
      });
    } finally {
      response.destroy();
    }
  } catch (thrown) {
    throw silence.signal.aborted ? silence.signal.reason : thrown;
  } finally {
    cancel();
  }
}

/** Writes the body of a response to the file, at the offset that `bodyOffset` returns. */
async function writeBody(
  wanted: DownloadRequest,
  file: FileHandle,
  response: IncomingMessage,
  offset: number,
  received: (bytes: number, of: number) => void,
): Promise<void> {
  let at = await bodyOffset(wanted, file, response, offset);
  const remaining = Number(response.headers['content-length'] ?? 0);
  checkBound(wanted, at + remaining);
  await wanted.checkSpace(remaining, at + remaining);
  const total = remaining === 0 ? 0 : at + remaining;
  for await (const piece of piecesOf(response)) {
    received(at + piece.length, total);
    checkBound(wanted, at + piece.length);
    await write(wanted, file, piece, at);
    at += piece.length;
  }
}

function piecesOf(response: IncomingMessage): AsyncIterable<Buffer> {
  return response;
}

/**
 * Returns the offset in the file at which the body of the response begins: the end of the file if the server
 * resumes, 0 if the server sends the whole file.
 */
async function bodyOffset(
  { subject, url }: DownloadRequest,
  file: FileHandle,
  response: IncomingMessage,
  offset: number,
): Promise<number> {
  const { 'content-encoding': encoding = 'identity', 'content-range': range = '' } = response.headers;
  if (encoding !== 'identity')
    throw unreachable(subject, url, `its server compresses it (content-encoding ${encoding})`);
  if (response.statusCode === 206 && range.startsWith(`bytes ${offset}-`)) return offset;
  await file.truncate(0);
  if (response.statusCode === 200) return 0;
  throw new Error('its server did not resume at the requested offset');
}

function checkBound({ subject, maxBytes }: DownloadRequest, bytes: number): void {
  if (bytes <= maxBytes) return;
  throw new Failure(
    'bundle.refused',
    `${subject} is a file of more than ${maxBytes} bytes, the limit by its "size" and "files".`,
  );
}

async function write(
  { subject, file: path }: DownloadRequest,
  file: FileHandle,
  piece: Buffer,
  at: number,
): Promise<void> {
  try {
    for (let done = 0; done < piece.length; ) {
      done += (await file.write(piece, done, piece.length - done, at + done)).bytesWritten;
    }
  } catch (thrown) {
    throw diskFailure(thrown, subject, path);
  }
}

function pause(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = (): void => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.after(milliseconds, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    signal.addEventListener('abort', stop, { once: true });
  });
}
