import type { Writable } from 'node:stream';
import type { Clock } from '../../core/clock.ts';
import { Failure, reasonOf } from '../../core/errors.ts';
import { MAX_PACKET_BYTES } from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';
import { isProcessGroupRunning } from '../../core/proc.ts';
import { MAX_LOG_LINE_BYTES } from '../limits.ts';
import type { ExitStatus } from '../process/exit-status.ts';
import type { LaunchedProcess } from '../process/launched-process.ts';
import { pause } from '../process/pause.ts';
import { signalProcessGroup } from '../process/process-group.ts';
import type { LineReader, LineSink } from './line-reader.ts';
import { readLines } from './line-reader.ts';
import type { LineBound } from './line-splitter.ts';

/**
 * Maximum milliseconds to wait for the end of the output after the process has exited. A process outside the
 * process group can keep the output open.
 */
const OUTPUT_END_TIMEOUT_MS = 1_000;

/**
 * Maximum milliseconds after the exit of the process in which the hub must store or reject all lines that the
 * process printed. A write to an SD card can take seconds.
 */
const SETTLE_TIMEOUT_MS = 30_000;

/** Milliseconds between two checks whether a killed process group still exists. */
const GROUP_CHECK_MS = 20;

const NEWLINE = Buffer.from('\n');

export type ProcessIoSettings = {
  readonly module: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly messages: LineSink & { readonly exceeded: (maxBytes: number) => void };
  /** Returns the sink for the log lines of one stream. */
  readonly logged: (stream: string) => LineSink;
  /** Called when a log line was cut because it was too long. */
  readonly cut: () => void;
  /** Called with the size in bytes of each chunk that the module has printed. */
  readonly countInput: ((bytes: number) => void) | undefined;
  /** Called when the standard input of the module accepts lines again. */
  readonly writable: () => void;
  /** Kills the processes of the module that have left the process group. */
  readonly killOrphans: () => Promise<void>;
};

/** Input, output and signals of one process of a module. */
export type ProcessIo = {
  readonly pid: number;
  /**
   * Sends a signal to the process group. Does nothing after the process has exited, because another process
   * can have the same pid by then.
   */
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Resumes reading of the output. Called when a sink accepts lines again. */
  readonly pump: () => void;
  /** Writes a line to standard input (see `Supervisor.write`). */
  readonly write: (line: Buffer, written: (error?: Error) => void) => boolean;
  /** Resolves when the process group has ended and all output was read. */
  readonly ended: Promise<ExitStatus>;
};

export function openProcessIo(process: LaunchedProcess, settings: ProcessIoSettings): ProcessIo {
  const { module, clock, log } = settings;
  const { pid, input, messages, logged } = process;
  let running = true;

  const logBound = { maxBytes: MAX_LOG_LINE_BYTES, overflow: 'cut', exceeded: settings.cut } as const;
  const { countInput } = settings;
  const readers = logged.map(({ name, stream }) =>
    readLines(stream, settings.logged(name), logBound, countInput),
  );
  if (messages !== undefined) {
    readers.push(readLines(messages, settings.messages, messageBound(settings.messages), countInput));
  }
  for (const stream of [messages, ...logged.map(({ stream }) => stream)]) {
    stream?.on('error', error =>
      log.warn(`Cannot read the output of module "${module}": ${reasonOf(error)}.`),
    );
  }
  input?.on('drain', settings.writable);
  input?.on('error', error =>
    log.info(`Standard input of module "${module}" is closed: ${reasonOf(error)}.`),
  );

  const ended = async (): Promise<ExitStatus> => {
    const exit = await process.exited;
    running = false;
    signalProcessGroup(pid, 'SIGKILL');
    await settings.killOrphans();
    const complete = await drainOutput(pid, readers, clock);
    if (!complete)
      log.warn(
        `Module "${module}" exited, but a child process did not exit or kept the output open: the remaining output is discarded.`,
      );
    return exit;
  };

  return {
    pid,
    signal: signal => {
      if (running && signalProcessGroup(pid, signal) === 'forbidden') {
        log.error(
          `Cannot send ${signal} to module "${module}" (pid ${pid}): operation not permitted (EPERM), it runs as another user.`,
        );
      }
    },
    pump: () => {
      for (const reader of readers) reader.pump();
    },
    write: (line, written) => writeLine(input, module, line, written),
    ended: ended(),
  };
}

/**
 * Returns the length limit of messages. A longer line is dropped, because a truncated line would be a
 * different message.
 */
function messageBound(sink: ProcessIoSettings['messages']): LineBound {
  const maxBytes = MAX_PACKET_BYTES;
  return { maxBytes, overflow: 'drop', exceeded: () => sink.exceeded(maxBytes) };
}

/**
 * Waits until a killed process group has ended and its output was read. Resolves to false if the wait times
 * out.
 */
async function drainOutput(pid: number, readers: readonly LineReader[], clock: Clock): Promise<boolean> {
  const began = clock.monotonic();
  let open = true;
  const closed = Promise.all(readers.map(reader => reader.closed)).then(() => {
    open = false;
  });
  while (open || signalProcessGroup(pid, 0) !== 'gone') {
    const limit = readers.some(reader => reader.stalled()) ? SETTLE_TIMEOUT_MS : OUTPUT_END_TIMEOUT_MS;
    if (clock.monotonic() - began >= limit) {
      for (const reader of readers) reader.drainAndClose();
      await closed;
      return false;
    }
    await pause(clock, GROUP_CHECK_MS, open ? closed : undefined);
    // Zombie processes count as ended, because it is possible that their new parent process never reaps them.
    if (!open && (signalProcessGroup(pid, 0) === 'gone' || !isProcessGroupRunning(pid))) return true;
  }
  return true;
}

function writeLine(
  input: Writable | undefined,
  module: string,
  line: Buffer,
  written: (error?: Error) => void,
): boolean {
  if (input === undefined || !input.writable) {
    queueMicrotask(() => written(lineNotWritten(module, 'its standard input is closed')));
    return false;
  }
  input.cork();
  input.write(line);
  const hasSpace = input.write(NEWLINE, error => {
    if (error) written(lineNotWritten(module, reasonOf(error)));
    else written();
  });
  input.uncork();
  return hasSpace;
}

/** Returns the error for a line that was not written to the module's standard input. */
export function lineNotWritten(module: string, reason: string): Failure {
  return new Failure('module.exec', `Cannot write a line to module "${module}": ${reason}.`);
}
