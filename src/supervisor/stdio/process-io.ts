import type { Writable } from 'node:stream';
import type { Clock } from '../../core/clock.ts';
import { Failure, reasonOf } from '../../core/errors.ts';
import { MAX_PACKET_BYTES } from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';
import { isProcessGroupRunning } from '../../core/proc.ts';
import { MAX_LOG_LINE_BYTES } from '../limits.ts';
import type { ExitStatus } from '../process/exit-status.ts';
import type { LaunchedProcess } from '../process/launch.ts';
import { pause } from '../process/pause.ts';
import { signalProcessGroup } from '../process/process-group.ts';
import type { LineReader, LineSink } from './line-reader.ts';
import { readLines } from './line-reader.ts';
import type { LineBound } from './line-splitter.ts';

/**
 * Maximum milliseconds to wait for the output of a process that has exited. `HELD_OPEN` applies if a process
 * outside its group holds the output open, `UNSETTLED` if the host has not settled all its lines (an SD card
 * may stall for seconds).
 */
const HELD_OPEN_MAX = 1_000;
const UNSETTLED_MAX = 30_000;

/** Milliseconds between two checks whether a killed process group is gone. */
const GONE_CHECK = 20;

const NEWLINE = Buffer.from('\n');

export type ProcessIoSettings = {
  readonly module: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly messages: LineSink & { readonly exceeded: (maxBytes: number) => void };
  /** Sink for log lines of one stream. */
  readonly logged: (stream: string) => LineSink;
  /** Called if a log line was cut because it is too long. */
  readonly cut: () => void;
  /** See `SupervisorHost.countInput`. */
  readonly countInput: ((bytes: number) => void) | undefined;
  /** Called when input may be written again. */
  readonly writable: () => void;
  /** Kills processes that left the process group and outlive it. */
  readonly killOrphans: () => Promise<void>;
};

/** Input, output and signals of one process of a module. */
export type ProcessIo = {
  readonly pid: number;
  /**
   * Sends a signal to the process group. Does nothing once the process has exited, because its pid may be
   * reused.
   */
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Continues to read after a full sink has space again. */
  readonly pump: () => void;
  /** See `Supervisor.write`. */
  readonly write: (line: Buffer, written: (error?: Error) => void) => boolean;
  /** Resolves when the process and its group are gone and all output was read. */
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
        `Module "${module}" exited, but its process group or output did not end: remaining output is dropped.`,
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

/** Line limit for messages. Longer lines are dropped, because a cut line would be a different message. */
function messageBound(sink: ProcessIoSettings['messages']): LineBound {
  const maxBytes = MAX_PACKET_BYTES;
  return { maxBytes, overflow: 'drop', exceeded: () => sink.exceeded(maxBytes) };
}

/** Waits, within limits, until a killed process group is gone and its output was read. */
async function drainOutput(pid: number, readers: readonly LineReader[], clock: Clock): Promise<boolean> {
  const began = clock.monotonic();
  let open = true;
  const closed = Promise.all(readers.map(reader => reader.closed)).then(() => {
    open = false;
  });
  while (open || signalProcessGroup(pid, 0) !== 'gone') {
    const limit = readers.some(reader => reader.stalled()) ? UNSETTLED_MAX : HELD_OPEN_MAX;
    if (clock.monotonic() - began >= limit) {
      for (const reader of readers) reader.drainAndClose();
      await closed;
      return false;
    }
    await pause(clock, GONE_CHECK, open ? closed : undefined);
    // Zombies do not count: the adopting parent may reap them late or never.
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
  const room = input.write(NEWLINE, error => {
    if (error) written(lineNotWritten(module, reasonOf(error)));
    else written();
  });
  input.uncork();
  return room;
}

/** Error for a line that was not written to the module's standard input. */
export function lineNotWritten(module: string, reason: string): Failure {
  return new Failure('module.exec', `Cannot write a line to module "${module}": ${reason}.`);
}
