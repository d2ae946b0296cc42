import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../core/clock.ts';
import { Failure, reasonOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { diskFailure } from './disk.ts';
import {
  DOWNLOAD_IDLE_TIMEOUT_MS,
  INITIAL_DOWNLOAD_WAIT_MS,
  MAX_DOWNLOAD_TRIES,
  MAX_DOWNLOAD_WAIT_MS,
  MIN_DOWNLOAD_PROGRESS_BYTES,
} from './limits.ts';
import type { Asking } from './request.ts';
import { ask, createAgent, shown, unreachable } from './request.ts';

export type Download = {
  /** What errors call it. */
  readonly subject: string;
  readonly url: URL;
  /** Where it goes; what is there already is its beginning. */
  readonly file: string;
  /** Bytes that it has at most. */
  readonly most: number;
  /** Throws if there is no room for it: bytes that are still to come, and of the whole. */
  readonly checkRoom: (toCome: number, whole: number) => Promise<void>;
};

export type Surroundings = {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Called with how far a download is. */
  readonly progress?: ((progress: DownloadProgress) => void) | undefined;
};

/** A download that is under way; `of` is 0 if the server does not say how long it is. */
export type DownloadProgress = { readonly subject: string; readonly bytes: number; readonly of: number };

const PART = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

/**
 * Fetches a file over https, and goes on where it was after each interruption. Throws Failure `bundle.unreachable`,
 * `bundle.refused`, `bundle.space` or `bundle.write`, or the signal's reason; what has come stays in the file.
 */
export async function download(wanted: Download, around: Surroundings): Promise<void> {
  const { clock, log, signal } = around;
  const { subject, url } = wanted;
  const agent = await createAgent();
  const file = await open(wanted.file, PART, 0o600).catch((thrown: unknown) => {
    throw diskFailure(thrown, subject, wanted.file);
  });
  try {
    for (let failed = 0; ; ) {
      const before = (await file.stat()).size;
      try {
        await attempt(wanted, file, before, { ...around, agent });
        return await file.sync();
      } catch (thrown) {
        signal.throwIfAborted();
        if (thrown instanceof Failure) throw thrown;
        const came = (await file.stat()).size - before;
        failed = came >= MIN_DOWNLOAD_PROGRESS_BYTES ? 1 : failed + 1;
        if (failed >= MAX_DOWNLOAD_TRIES) throw unreachable(subject, url, reasonOf(thrown));
        const wait = Math.min(MAX_DOWNLOAD_WAIT_MS, INITIAL_DOWNLOAD_WAIT_MS * 2 ** (failed - 1));
        log.warn(
          `${subject}: the download from ${shown(url)} is tried again in ${wait / 1000} s: ${reasonOf(thrown)}`,
        );
        await pause(clock, wait, signal);
      }
    }
  } finally {
    await file.close();
  }
}

/** One try. Whoever is silent for too long is hung up on. */
async function attempt(
  wanted: Download,
  file: FileHandle,
  have: number,
  { clock, signal, agent, progress }: Surroundings & Pick<Asking, 'agent'>,
): Promise<void> {
  const silence = new AbortController();
  const fallSilent = (): void =>
    silence.abort(new Error(`it was silent for ${DOWNLOAD_IDLE_TIMEOUT_MS / 1000} s`));
  let cancel = clock.after(DOWNLOAD_IDLE_TIMEOUT_MS, fallSilent);
  const heard = (): void => {
    cancel();
    cancel = clock.after(DOWNLOAD_IDLE_TIMEOUT_MS, fallSilent);
  };
  try {
    const either = AbortSignal.any([signal, silence.signal]);
    const answer = await ask(wanted.url, have, { subject: wanted.subject, signal: either, agent });
    try {
      await take(wanted, file, answer, have, (bytes, of) => {
        heard();
        progress?.({ subject: wanted.subject, bytes, of });
      });
    } finally {
      answer.destroy();
    }
  } catch (thrown) {
    throw silence.signal.aborted ? silence.signal.reason : thrown;
  } finally {
    cancel();
  }
}

/** Writes an answer's body behind what is there. */
async function take(
  wanted: Download,
  file: FileHandle,
  answer: IncomingMessage,
  have: number,
  came: (bytes: number, of: number) => void,
): Promise<void> {
  let at = await startOf(wanted, file, answer, have);
  const toCome = Number(answer.headers['content-length'] ?? 0);
  checkBound(wanted, at + toCome);
  await wanted.checkRoom(toCome, at + toCome);
  const whole = toCome === 0 ? 0 : at + toCome;
  for await (const piece of piecesOf(answer)) {
    came(at + piece.length, whole);
    checkBound(wanted, at + piece.length);
    await write(wanted, file, piece, at);
    at += piece.length;
  }
}

function piecesOf(answer: IncomingMessage): AsyncIterable<Buffer> {
  return answer;
}

/** Where the answer's body belongs: behind what is there, or, if the server gives the whole, at the start. */
async function startOf(
  { subject, url }: Download,
  file: FileHandle,
  answer: IncomingMessage,
  have: number,
): Promise<number> {
  const { 'content-encoding': encoding = 'identity', 'content-range': range = '' } = answer.headers;
  if (encoding !== 'identity') throw unreachable(subject, url, `its server packs it once more (${encoding})`);
  if (answer.statusCode === 206 && range.startsWith(`bytes ${have}-`)) return have;
  await file.truncate(0);
  if (answer.statusCode === 200) return 0;
  throw new Error('its server did not go on where it was');
}

function checkBound({ subject, most }: Download, bytes: number): void {
  if (bytes <= most) return;
  throw new Failure(
    'bundle.refused',
    `${subject} is a file of more than ${most} bytes, the most for what is stated of it.`,
  );
}

async function write(
  { subject, file: path }: Download,
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
