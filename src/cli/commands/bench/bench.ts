import { mkdirSync, rmSync, statfsSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../../core/errors.ts';
import { unwritableFolder } from '../../../core/files/folder-lock.ts';
import { useNativeFolder } from '../../../core/files/native.ts';
import { COMMIT_WINDOW_MS } from '../../../manifest/limits.ts';
import { sizeOf } from '../../../manifest/units.ts';
import { argumentsOf, usageFailure } from '../../arguments.ts';
import { dataFolder } from '../../data-folder.ts';
import { becomeDataOwner } from '../../data-owner.ts';
import { bytes } from '../../output/table.ts';
import { BENCH } from '../../reference/hub.ts';
import { print, printError } from '../../system.ts';
import { durableRate } from './durable-rate.ts';
import { flushLatency } from './flush-latency.ts';
import { bytesPerDay } from './wear.ts';

/** Free bytes that the disk must have, because the measurement must not fill the disk of a running hub. */
const MIN_FREE_BYTES = 256 << 20;

const DAYS_PER_YEAR = 365.25;

const SECONDS_PER_DAY = 86_400;

/** Bounds of messages per second, bytes of a message, and seconds. */
const MIN_RATE = 0.001;
const MAX_RATE = 10_000;
const MAX_SIZE = 1 << 18;
const MIN_SECONDS = 0.1;
const MAX_SECONDS = 600;

/**
 * Measures the disk of the data folder, the messages per second that a store makes durable there, and the
 * wear. Uses a folder of its own, which is removed afterwards, so that a running hub is not affected.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(BENCH, args);
  const settings = {
    rate: numberOf('rate', values.rate, MIN_RATE, MAX_RATE),
    seconds: numberOf('seconds', values.seconds, MIN_SECONDS, MAX_SECONDS),
    size: sizeIn('size', values.size, MAX_SIZE),
    endurance: sizeIn('endurance', values.endurance, Number.MAX_SAFE_INTEGER),
  };
  const data = dataFolder(values.data);
  becomeDataOwner(data);
  const folder = workFolder(data);
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => endBy(signal, clean));
  try {
    if (values.json !== true) printError(`Measuring the disk of ${data} for ${3 * settings.seconds} s.`);
    const result = await measure(folder, settings);
    if (values.json === true) print(JSON.stringify(result, null, 2));
    else for (const line of linesOf(result)) print(line);
  } finally {
    clean();
  }
  return 0;
}

type Settings = {
  readonly rate: number;
  readonly seconds: number;
  readonly size: number;
  readonly endurance: number;
};

async function measure(folder: string, { rate, seconds, size, endurance }: Settings): Promise<Result> {
  useNativeFolder(join(folder, 'native'));
  const flush = await flushLatency(folder, seconds);
  const load = await durableRate(join(folder, 'load'), size, seconds);
  rmSync(join(folder, 'load'), { recursive: true });
  const written = await bytesPerDay(join(folder, 'wear'), size, rate, seconds);
  return {
    flush,
    store: { sizeBytes: size, commitWindowMs: COMMIT_WINDOW_MS, ...load },
    memory: { totalBytes: totalmem(), freeBytes: freemem() },
    wear: {
      rate,
      writtenBytesPerDay: written,
      bytesPerPayloadByte: written / (rate * size * SECONDS_PER_DAY),
      enduranceBytes: endurance,
      years: endurance / written / DAYS_PER_YEAR,
    },
  };
}

type Result = {
  readonly flush: Awaited<ReturnType<typeof flushLatency>>;
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
    `        an acknowledgement usually takes the commit window (${store.commitWindowMs} ms) and one flush at most`,
    `memory  ${bytes(memory.freeBytes)} of ${bytes(memory.totalBytes)} are free`,
    ...wearLines(wear),
  ];
}

function wearLines({
  rate,
  writtenBytesPerDay,
  bytesPerPayloadByte,
  enduranceBytes,
  years,
}: Result['wear']): string[] {
  if (Number.isNaN(writtenBytesPerDay))
    return ['wear    unknown, because the system counts no writes to this disk'];
  return [
    `wear    ${rate} messages per second that cannot be delivered write ${bytes(writtenBytesPerDay)} per day, ${bytesPerPayloadByte.toFixed(1)} times their size`,
    `        a disk for ${bytes(enduranceBytes)} of writes lasts ${years.toFixed(1)} years at this rate`,
  ];
}

/**
 * Creates the folder of the measurement. Removes that of an earlier measurement that was killed. Throws
 * Failure `data.unwritable` and `store.full`.
 */
function workFolder(data: string): string {
  const folder = join(data, 'bench');
  let free: number;
  try {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { mode: 0o700 });
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

function numberOf(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= min && value <= max) return value;
  throw usageFailure(`--${name} must be a number from ${min} to ${max}`, BENCH);
}

function sizeIn(name: string, text: string, max: number): number {
  const value = sizeOf(text);
  if (value !== undefined && value > 0 && value <= max) return value;
  throw usageFailure(`--${name} must be a size of at most ${bytes(max)}, such as "4K"`, BENCH);
}
