import { resolve } from 'node:path';
import { isSea } from 'node:sea';
import { setFlagsFromString } from 'node:v8';
import { MIN_MEMORY } from '../core/capacity/memory-budget.ts';
import { noteException } from '../core/containment.ts';
import type { Log, LogSink } from '../core/log.ts';
import { logFor } from '../core/log.ts';
import { DEVICE_NAME } from '../manifest/devices.ts';
import { sizeOf } from '../manifest/units.ts';
import { handOver, monitorWatchdog } from '../self-update/handover.ts';
import type { Launched } from '../self-update/launch.ts';
import { launch } from '../self-update/launch.ts';
import { markStarted } from '../self-update/trial.ts';
import { nativeFunction } from '../supervisor/terminal/native-addon.ts';
import { argumentsOf, scanArguments, scannedValue, usageFailure } from './arguments.ts';
import { dataFolder } from './data-folder.ts';
import { initCommand } from './init.ts';
import { readMachineTime } from './machine-time.ts';
import { UP } from './reference/up.ts';
import { notifyReady } from './service-manager.ts';
import {
  become,
  standardErrorJsonLog,
  standardErrorLog,
  systemClock,
  systemPause,
  systemRandom,
} from './system.ts';

/** Number of uncaught exceptions within STRAY_EXCEPTION_WINDOW that end the hub. */
const MAX_STRAY_EXCEPTIONS = 10;

/** Milliseconds within which uncaught exceptions are counted together. */
const STRAY_EXCEPTION_WINDOW = 60_000;

/**
 * Runs a hub in the foreground until SIGINT or SIGTERM. If a self-update is installed, executes the binary of
 * the self-update instead.
 */
export async function run(args: readonly string[]): Promise<number> {
  const logSink = logSinkOf(args);
  const log = logFor('hub', logSink);
  if (process.pid === 1 && isSea()) reapOrphans(log);
  const launched = await launchHub(args, log);
  const { values, positionals } = argumentsOf(UP, args);
  const [file] = positionals;
  const folder = dataFolder(values.data);
  const request = stopRequest(launched);
  const { startHub } = await import('../hub/hub.ts');
  const hub = await startHub({
    file: file === undefined ? undefined : resolve(file),
    dataFolder: folder,
    device: deviceOf(values.name),
    memory: memoryOf(values.memory),
    clock: systemClock,
    machineTime: readMachineTime,
    random: systemRandom,
    logSink,
    launched,
    program: isSea() ? process.execPath : undefined,
  });
  markStarted(folder, launched);
  // These flags keep a hub under load small: V8 collects garbage early and uses only one optimizing compiler.
  // The flags are set after the start, because at the start the first flag would invalidate the code cache
  // and cost 15 ms.
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--no-maglev');
  containStrayExceptions(log);
  const manager = process.env['NOTIFY_SOCKET'];
  if (manager !== undefined && !(await notifyReady(manager)))
    log.warn('Cannot notify the service manager that the hub is ready: use Type=simple in the unit.');
  const cause = await Promise.race([request.told, hub.replaced]);
  // Stops V8's optimizing compiler before the exit, because two threads could otherwise wait for each other:
  // this thread for the compiler thread, and the compiler thread for a garbage collection of this thread.
  setFlagsFromString('--no-opt');
  log.info(
    cause === undefined
      ? 'Stopping to start another hub binary (self-update or rollback).'
      : `Stopping because ${cause}.`,
  );
  await hub.stop();
  // Checks whether a signal arrived while the hub stopped for a self-update.
  if (request.wasMade()) return endAtOnce();
  return handOver({
    dataFolder: folder,
    launched,
    args: process.argv.slice(2),
    env: process.env,
    execve: become,
    exit: process.exit,
  });
}

/**
 * Returns the log sink that --log-format selects. Does not check the arguments, because `launchHub` logs
 * before the arguments are checked.
 */
function logSinkOf(args: readonly string[]): LogSink {
  const format = scannedValue(scanArguments(UP, args), 'log-format');
  return format === 'json' ? standardErrorJsonLog : standardErrorLog;
}

/** Replaces pid 1 of a container by a shell that reaps orphans and runs the hub as its child. */
function reapOrphans(log: Log): void {
  const command = initCommand([process.execPath, ...process.argv.slice(2)]);
  if (command !== undefined) become(command, process.env);
  const sentence =
    'Cannot reap zombie processes of modules, because /bin/sh does not exist: run the container with an init process.';
  log.warn(sentence);
}

/**
 * Ends the process without waiting for V8's threads if the binary has the native function `exit`. Otherwise
 * returns exit code 0. Called after all files are closed.
 */
async function endAtOnce(): Promise<number> {
  const exit = await nativeFunction('exit');
  exit?.(0);
  return 0;
}

/**
 * Logs uncaught exceptions. The hub continues after an exception. After too many exceptions, the hub exits,
 * so that the service manager restarts the hub.
 */
function containStrayExceptions(log: Log): void {
  const times: number[] = [];
  process.on('uncaughtException', thrown => {
    noteException(log, 'an unknown callback', thrown);
    const now = systemClock.monotonic();
    times.push(now);
    if (times.length > MAX_STRAY_EXCEPTIONS) times.shift();
    if (times.length < MAX_STRAY_EXCEPTIONS || now - (times[0] ?? now) > STRAY_EXCEPTION_WINDOW) return;
    log.error(
      `The hub exits after ${MAX_STRAY_EXCEPTIONS} uncaught exceptions within one minute, so that its service manager restarts it.`,
    );
    process.exit(1);
  });
}

function memoryOf(size: string | undefined): number | undefined {
  const bytes = size === undefined ? undefined : sizeOf(size);
  if (size === undefined || (bytes !== undefined && bytes >= MIN_MEMORY)) return bytes;
  throw usageFailure('--memory must be a size of at least 32M, such as "64M"', UP);
}

function deviceOf(name: string | undefined): string | undefined {
  if (name === undefined || DEVICE_NAME.test(name)) return name;
  throw usageFailure('--name must be 1 to 64 letters, digits, "_" or "-"', UP);
}

/**
 * Selects the binary of the hub. Called before the arguments are parsed, because a self-update can have
 * options that the installed binary does not have.
 */
async function launchHub(args: readonly string[], log: Log): Promise<Launched> {
  if (!isSea()) return { running: 'base' };
  return launch({
    dataFolder: dataFolder(scannedValue(scanArguments(UP, args), 'data')),
    program: process.execPath,
    args: process.argv.slice(2),
    env: process.env,
    parent: process.ppid,
    log,
    sleep: systemPause,
    execve: become,
  });
}

/**
 * Waits for the first SIGINT or SIGTERM. Later signals are ignored, because the stop takes a bounded time.
 */
function stopRequest(launched: Launched) {
  const { promise, resolve } = Promise.withResolvers<string>();
  let made = false;
  const ask = (cause: string): void => {
    made = true;
    resolve(cause);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => ask(`${signal} was received`));
  monitorWatchdog(
    launched,
    () => process.ppid,
    systemClock,
    () => ask('the watchdog process of this trial start has exited'),
  );
  return { told: promise, wasMade: () => made };
}
