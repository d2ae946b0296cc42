import type { Writable } from 'node:stream';
import type { Cancel, Clock } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import { MAX_SCROLLBACK_BYTES, MAX_VIEWERS } from '../limits.ts';

/** Window size in characters. */
export type TerminalSize = { readonly columns: number; readonly rows: number };

/** Terminal of one process of a module. */
export type Terminal = {
  /** Typed input. `write` returns false while the process does not read its input. */
  readonly input: Writable;
  readonly resize: (size: TerminalSize) => void;
};

/** Client that is attached to a module's terminal. */
export type Viewer = {
  readonly size: TerminalSize;
  readonly printed: (bytes: Buffer) => void;
  /** Called with the exit status when the process has ended. No output follows this call. */
  readonly ended: (how: string) => void;
};

/** Connection of one viewer to a terminal. */
export type Attachment = {
  /** Most recent output: at most MAX_SCROLLBACK_BYTES. */
  readonly scrollback: Buffer;
  readonly input: Writable;
  readonly resize: (size: TerminalSize) => void;
  /** Calls `action` once a second until the returned function is called. */
  readonly everySecond: (action: () => void) => Cancel;
  readonly detach: () => void;
};

/**
 * Terminal of a module. Several viewers can share the terminal. The terminal continues to exist when the
 * process restarts.
 */
export type SharedTerminal = {
  readonly size: () => TerminalSize;
  readonly print: (bytes: Buffer) => void;
  readonly connect: (terminal: Terminal) => void;
  readonly disconnect: (how: string) => void;
  /**
   * Attaches a viewer.
   * @throws Failure `module.exec` if no process runs or too many viewers are attached
   */
  readonly attach: (viewer: Viewer) => Attachment;
};

const DEFAULT_SIZE: TerminalSize = { columns: 80, rows: 24 };
const NEWLINE = 0x0a;

/** Milliseconds for which the window size is changed, so that a full-screen program redraws. */
const REDRAW_MS = 50;

const SECOND = 1_000;

export function createSharedTerminal(module: string, clock: Clock): SharedTerminal {
  /** Window size of each viewer. */
  const viewers = new Map<Viewer, TerminalSize>();
  let size = DEFAULT_SIZE;
  let terminal: Terminal | undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;

  /**
   * Sets the window size to the smallest number of columns and rows of all viewers. Does nothing if there is
   * no viewer.
   */
  const fit = (): void => {
    const sizes = [...viewers.values()];
    if (sizes.length === 0) return;
    size = {
      columns: Math.min(...sizes.map(window => window.columns)),
      rows: Math.min(...sizes.map(window => window.rows)),
    };
    terminal?.resize(size);
  };

  /** Changes the window size for a moment, so that a full-screen program redraws for a new viewer. */
  const redraw = (): void => {
    terminal?.resize({ ...size, rows: Math.max(1, size.rows - 1) });
    clock.after(REDRAW_MS, () => terminal?.resize(size));
  };

  const every = (milliseconds: number, action: () => void): Cancel => {
    let cancel: Cancel;
    const begin = (): void => {
      cancel = clock.after(milliseconds, () => {
        begin();
        action();
      });
    };
    begin();
    return () => cancel();
  };

  const storeOutput = (printed: Buffer): void => {
    chunks.push(printed);
    bytes += printed.length;
    while (bytes - (chunks[0]?.length ?? 0) >= MAX_SCROLLBACK_BYTES) bytes -= chunks.shift()?.length ?? 0;
  };

  /**
   * Returns the most recent output, beginning at the start of a line. Output that begins within a line could
   * begin with the rest of an escape sequence.
   */
  const scrollback = (): Buffer => {
    const all = Buffer.concat(chunks, bytes);
    if (all.length <= MAX_SCROLLBACK_BYTES) return all;
    const last = all.subarray(-MAX_SCROLLBACK_BYTES);
    return last.subarray(last.indexOf(NEWLINE) + 1);
  };

  return {
    size: () => size,
    print: printed => {
      storeOutput(printed);
      for (const viewer of viewers.keys()) viewer.printed(printed);
    },
    connect: newTerminal => {
      terminal = newTerminal;
    },
    disconnect: how => {
      terminal = undefined;
      const detached = [...viewers.keys()];
      viewers.clear();
      for (const viewer of detached) viewer.ended(how);
    },
    attach: viewer => {
      if (terminal === undefined)
        throw new Failure('module.exec', `Module "${module}" is not running: start it, see "skerry ps".`);
      if (viewers.size >= MAX_VIEWERS)
        throw new Failure(
          'module.exec',
          `Module "${module}" already has the maximum of ${MAX_VIEWERS} viewers: detach one.`,
        );
      const { input } = terminal;
      const previousSize = size;
      viewers.set(viewer, viewer.size);
      fit();
      if (size.columns === previousSize.columns && size.rows === previousSize.rows) redraw();
      return {
        scrollback: scrollback(),
        input,
        resize: newSize => {
          if (!viewers.has(viewer)) return;
          viewers.set(viewer, newSize);
          fit();
        },
        everySecond: action => every(SECOND, action),
        detach: () => {
          viewers.delete(viewer);
          fit();
        },
      };
    },
  };
}
