import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../../core/errors.ts';
import { unwritableFolder } from '../../../core/files/folder-lock.ts';
import { useNativeFolder } from '../../../core/files/native.ts';
import { COMMIT_WINDOW_MS } from '../../../manifest/limits.ts';
import { sizeOf } from '../../../manifest/units.ts';
import { argumentsOf, usageFailure } from '../../arguments.ts';
import { dataFolder } from '../../data-folder.ts';
import { bytes } from '../../output/table.ts';
import { BENCH } from '../../reference/hub.ts';
import { print, printError } from '../../system.ts';
import { durableRate } from './durable-rate.ts';
import { flushLatency } from './flush-latency.ts';
import { bytesPerDay } from './wear.ts';

/** Free bytes that the disk must have, because the measurement must not fill the disk of a running hub. */
const MIN_FREE_BYTES = 256 << 20;

const DAYS_PER_YEAR = 365.25;

const MAX_RATE = 10_000;
const MAX_SIZE = 1 << 18;
const MAX_SECONDS = 600;

/**
 * Measures the disk of the data folder, the messages per second that a store makes durable there, and the
 * wear. Uses a folder of its own, which is removed afterwards, so that a running hub is not affected.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(BENCH, args);
  const rate = numberOf('rate', values.rate, MAX_RATE);
  const seconds = numberOf('seconds', values.seconds, MAX_SECONDS);
  const size = sizeIn('size', values.size, MAX_SIZE);
  const endurance = sizeIn('endurance', values.endurance, Number.MAX_SAFE_INTEGER);
  const data = dataFolder(values.data);
  const folder = workFolder(data);
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => endBy(signal, clean));
  try {
    useNativeFolder(join(folder, 'native'));
    if (values.json !== true) printError(`Measuring the disk of ${data} for ${3 * seconds} s.`);
    const flush = flushLatency(folder, seconds);
    const load = await durableRate(join(folder, 'load'), size, seconds);
    const written = await bytesPerDay(join(folder, 'wear'), size, rate, seconds);
    const result = {
      flush,
      store: { sizeBytes: size, commitWindowMs: COMMIT_WINDOW_MS, ...load },
      memory: { totalBytes: totalmem(), freeBytes: freemem() },
      wear: {
        rate,
        writtenBytesPerDay: Math.round(written),
        bytesPerPayloadByte: written / (rate * size * 86_400),
        enduranceBytes: endurance,
        years: endurance / written / DAYS_PER_YEAR,
      },
    };
    if (values.json === true) print(JSON.stringify(result, null, 2));
    else for (const line of linesOf(result)) print(line);
  } finally {
    clean();
  }
  return 0;
}

type Result = {
  readonly flush: ReturnType<typeof flushLatency>;
  readonly store: Awaited<ReturnType<typeof durableRate>> & {
    readonly sizeBytes: number;
    readonly commitWindowMs: number;
  };
  readonly memory: { readonly totalBytes: number; readonly freeBytes: number };
  readonly wear: {
    readonly rate: number;
    readonly writtenBytesPerDay: number;
    readonly bytesPerPayloadByte: number;
    readonly enduranceBytes: number;
    readonly years: number;
  };
};

function linesOf({ flush, store, memory, wear }: Result): string[] {
  const ms = (milliseconds: number): string => `${milliseconds.toFixed(milliseconds < 10 ? 2 : 0)} ms`;
  return [
    `disk    a flushed write of 4 KB takes ${ms(flush.medianMs)} (median), ${ms(flush.p99Ms)} (99 %), ${ms(flush.maxMs)} (longest of ${flush.flushes})`,
    `store   ${Math.round(store.messagesPerSecond)} durable messages per second of ${bytes(store.sizeBytes)}, ${store.cpuMicroseconds.toFixed(1)} us of CPU time each`,
    `        a sender waits at most the commit window (${store.commitWindowMs} ms) and one flush for its acknowledgement`,
    `memory  ${bytes(memory.freeBytes)} of ${bytes(memory.totalBytes)} are free`,
    `wear    ${wear.rate} messages per second that cannot be delivered write ${bytes(wear.writtenBytesPerDay)} per day, ${wear.bytesPerPayloadByte.toFixed(1)} times their size`,
    `        a disk for ${bytes(wear.enduranceBytes)} of writes lasts ${wear.years.toFixed(1)} years at this rate`,
  ];
}

/** Creates the folder of the measurement. Throws Failure `data.unwritable` and `store.full`. */
function workFolder(data: string): string {
  let folder: string;
  let free: number;
  try {
    folder = mkdtempSync(join(data, 'bench-'));
    const { bavail, bsize } = statfsSync(folder);
    free = bavail * bsize;
  } catch (thrown) {
    throw unwritableFolder(data, thrown);
  }
  if (free >= MIN_FREE_BYTES) return folder;
  rmSync(folder, { recursive: true });
  throw new Failure(
    'store.full',
    `The disk of ${data} has ${bytes(free)} free, and the measurement needs ${bytes(MIN_FREE_BYTES)}: free space.`,
  );
}

/** Removes the folder of the measurement and ends the process by the signal. */
function endBy(signal: NodeJS.Signals, clean: () => void): void {
  try {
    clean();
  } catch (thrown) {
    printError(`skerry: ${reasonOf(thrown)}`);
  }
  process.kill(process.pid, signal);
}

function numberOf(name: string, text: string, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= max) return value;
  throw usageFailure(`--${name} must be a number above 0 and at most ${max}`, BENCH);
}

function sizeIn(name: string, text: string, max: number): number {
  const value = sizeOf(text);
  if (value !== undefined && value > 0 && value <= max) return value;
  throw usageFailure(`--${name} must be a size of at most ${bytes(max)}, such as "4K"`, BENCH);
}
