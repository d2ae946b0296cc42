import type { Writable } from 'node:stream';
import type { Clock } from '../../core/clock.ts';
import { Failure, reasonOf } from '../../core/errors.ts';
import { MAX_LOG_LINE_BYTES, MAX_PACKET_BYTES } from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';
import { isGroupRunning } from '../../core/proc.ts';
import type { Exit } from '../process/exit-status.ts';
import type { Process } from '../process/launch.ts';
import { pause } from '../process/pause.ts';
import { signalGroup } from '../process/process-group.ts';
import type { LineReader, LineSink } from './line-reader.ts';
import { readLines } from './line-reader.ts';
import type { LineBound } from './line-splitter.ts';

/**
 * Milliseconds that a process which has ended may still be waited for: when something outside its group holds its
 * output open, and when the host has yet to settle what it said (a memory card may stall for seconds).
 */
const HELD_OPEN_MOST = 1_000;
const UNSETTLED_MOST = 30_000;

/** Milliseconds between two looks at a group that was killed. */
const GONE_CHECK = 20;

const NEWLINE = Buffer.from('\n');

export type ConnectionSettings = {
  readonly module: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly messages: LineSink & { readonly exceeded: (maxBytes: number) => void };
  /** Where lines of its log go, by the stream that they came on. */
  readonly logged: (stream: string) => LineSink;
  /** A line of the log was too long. */
  readonly cut: () => void;
  /** See `SupervisorHost.countInput`. */
  readonly countInput: ((bytes: number) => void) | undefined;
  /** Input may be written again. */
  readonly writable: () => void;
  /** Ends what left the process's group and outlives it. */
  readonly endOrphans: () => Promise<void>;
};

/** All that goes to and comes from one process of a module. */
export type Connection = {
  readonly pid: number;
  /** Signals its whole group; nothing once the process has ended, for its pid may be another's by then. */
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Goes on reading after a sink that was full takes lines again. */
  readonly pump: () => void;
  /** See `Supervisor.write`. */
  readonly write: (line: Buffer, written: (error?: Error) => void) => boolean;
  /** Resolves when the process and its group are gone and what they said was taken. */
  readonly ended: Promise<Exit>;
};

export function connect(process: Process, settings: ConnectionSettings): Connection {
  const { module, clock, log } = settings;
  const { pid, input, messages, logged } = process;
  let leads = true;

  const logBound = { maxBytes: MAX_LOG_LINE_BYTES, overflow: 'cut', exceeded: settings.cut } as const;
  const { countInput } = settings;
  const readers = logged.map(({ name, stream }) =>
    readLines(stream, settings.logged(name), logBound, countInput),
  );
  if (messages !== undefined) {
    readers.push(readLines(messages, settings.messages, messageBound(settings.messages), countInput));
  }
  for (const stream of [messages, ...logged.map(({ stream }) => stream)]) {
    stream?.on('error', error => log.warn(`The output of module "${module}" broke off: ${error.message}.`));
  }
  input?.on('drain', settings.writable);
  input?.on('error', error => log.info(`Module "${module}" takes no more input: ${error.message}.`));

  const ended = async (): Promise<Exit> => {
    const exit = await process.exited;
    leads = false;
    signalGroup(pid, 'SIGKILL');
    await settings.endOrphans();
    const whole = await takeRemains(pid, readers, clock);
    if (!whole)
      log.warn(`Module "${module}" has ended, but its group or output did not: the rest is dropped.`);
    return exit;
  };

  return {
    pid,
    signal: signal => {
      if (leads && signalGroup(pid, signal) === 'forbidden') {
        log.error(`Module "${module}" (pid ${pid}) runs as another user and may not be sent ${signal}.`);
      }
    },
    pump: () => {
      for (const reader of readers) reader.pump();
    },
    write: (line, written) => writeLine(input, module, line, written),
    ended: ended(),
  };
}

/** Bound of lines that are messages: a longer one is dropped, because cut it would be another message. */
function messageBound(sink: ConnectionSettings['messages']): LineBound {
  const maxBytes = MAX_PACKET_BYTES;
  return { maxBytes, overflow: 'drop', exceeded: () => sink.exceeded(maxBytes) };
}

/** Waits until a group that was killed is gone and its output was taken, so long as that is bounded. */
async function takeRemains(pid: number, readers: readonly LineReader[], clock: Clock): Promise<boolean> {
  const began = clock.monotonic();
  let open = true;
  const closed = Promise.all(readers.map(reader => reader.closed)).then(() => {
    open = false;
  });
  while (open || signalGroup(pid, 0) !== 'gone') {
    const most = readers.some(reader => reader.stalled()) ? UNSETTLED_MOST : HELD_OPEN_MOST;
    if (clock.monotonic() - began >= most) {
      for (const reader of readers) reader.abandon();
      await closed;
      return false;
    }
    await pause(clock, GONE_CHECK, open ? closed : undefined);
    // Whoever adopts orphans may be slow to reap them, and some never do: a zombie need not be waited for.
    if (!open && (signalGroup(pid, 0) === 'gone' || !isGroupRunning(pid))) return true;
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
    queueMicrotask(() => written(notTaken(module, 'it takes no input now')));
    return false;
  }
  input.cork();
  input.write(line);
  const room = input.write(NEWLINE, error => {
    if (error) written(notTaken(module, reasonOf(error)));
    else written();
  });
  input.uncork();
  return room;
}

/** What is told of a line that did not reach the module. */
export function notTaken(module: string, reason: string): Failure {
  return new Failure('module.exec', `Module "${module}" did not take a line: ${reason}.`);
}
