import type { Writable } from 'node:stream';
import type { Cancel, Clock } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import { MAX_SCROLLBACK_BYTES, MAX_VIEWERS } from '../limits.ts';

/** Size in characters. */
export type TerminalSize = { readonly columns: number; readonly rows: number };

/** Terminal of one process, as the viewers use it. */
export type Terminal = {
  /** Typed input. Full while the process does not read it. */
  readonly input: Writable;
  readonly resize: (size: TerminalSize) => void;
};

/** Client that is attached to a module's terminal. */
export type Viewer = {
  readonly size: TerminalSize;
  readonly printed: (bytes: Buffer) => void;
  /** Called with the exit status when the process ends. No output follows. */
  readonly ended: (how: string) => void;
};

/** Connection of one viewer to a terminal. */
export type Attachment = {
  /** Most recent output, up to MAX_SCROLLBACK_BYTES. */
  readonly scrollback: Buffer;
  readonly input: Writable;
  readonly resize: (size: TerminalSize) => void;
  /** Calls `action` once a second until it is cancelled. */
  readonly everySecond: (action: () => void) => Cancel;
  readonly detach: () => void;
};

/** Terminal of a module that several viewers share, kept over restarts of its process. */
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

const USUAL_SIZE: TerminalSize = { columns: 80, rows: 24 };
const NEWLINE = 0x0a;

/** Milliseconds for which the size is changed to make the program redraw. */
const REDRAW = 50;

const SECOND = 1_000;

export function createSharedTerminal(module: string, clock: Clock): SharedTerminal {
  /** Window size of each viewer. */
  const viewers = new Map<Viewer, TerminalSize>();
  let size = USUAL_SIZE;
  let terminal: Terminal | undefined;
  const kept: Buffer[] = [];
  let bytes = 0;

  /** Sets the size to the smallest window of all viewers. Keeps it if there is no viewer. */
  const fit = (): void => {
    const sizes = [...viewers.values()];
    if (sizes.length === 0) return;
    size = {
      columns: Math.min(...sizes.map(one => one.columns)),
      rows: Math.min(...sizes.map(one => one.rows)),
    };
    terminal?.resize(size);
  };

  /** Makes full-screen programs redraw for a new viewer by changing the size for a moment. */
  const redraw = (): void => {
    terminal?.resize({ ...size, rows: Math.max(1, size.rows - 1) });
    clock.after(REDRAW, () => terminal?.resize(size));
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

  const keep = (printed: Buffer): void => {
    kept.push(printed);
    bytes += printed.length;
    while (bytes - (kept[0]?.length ?? 0) >= MAX_SCROLLBACK_BYTES) bytes -= kept.shift()?.length ?? 0;
  };

  /** Starts at the beginning of a line, because the bytes before may be part of an escape sequence. */
  const scrollback = (): Buffer => {
    const all = Buffer.concat(kept, bytes);
    if (all.length <= MAX_SCROLLBACK_BYTES) return all;
    const last = all.subarray(-MAX_SCROLLBACK_BYTES);
    return last.subarray(last.indexOf(NEWLINE) + 1);
  };

  return {
    size: () => size,
    print: printed => {
      keep(printed);
      for (const viewer of viewers.keys()) viewer.printed(printed);
    },
    connect: made => {
      terminal = made;
    },
    disconnect: how => {
      terminal = undefined;
      const leaving = [...viewers.keys()];
      viewers.clear();
      for (const viewer of leaving) viewer.ended(how);
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
      const before = size;
      viewers.set(viewer, viewer.size);
      fit();
      if (size.columns === before.columns && size.rows === before.rows) redraw();
      return {
        scrollback: scrollback(),
        input,
        resize: now => {
          if (!viewers.has(viewer)) return;
          viewers.set(viewer, now);
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
