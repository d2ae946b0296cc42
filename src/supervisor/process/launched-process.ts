import type { Readable, Writable } from 'node:stream';
import type { ExitStatus } from './exit-status.ts';

/** Running process of a module. The process leads its own session and process group. */
export type LaunchedProcess = {
  readonly pid: number;
  /** Standard input that accepts messages as lines. Undefined if the module does not read lines. */
  readonly input: Writable | undefined;
  /** Standard output that carries messages. Undefined if standard output is only logged. */
  readonly messages: Readable | undefined;
  /** Streams that are logged, each with its name in the log. */
  readonly logged: readonly { readonly name: 'out' | 'err' | 'tty'; readonly stream: Readable }[];
  /**
   * Resolves when the process has exited. At this time, the streams can still contain data, and child
   * processes can still run.
   */
  readonly exited: Promise<ExitStatus>;
};
