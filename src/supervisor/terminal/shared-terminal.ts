import type { Writable } from 'node:stream';
import type { Cancel, Clock } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import { MAX_VIEWERS, SCROLLBACK_BYTES } from '../../core/limits.ts';

/** In characters. */
export type TerminalSize = { readonly columns: number; readonly rows: number };

/** The terminal of one process, from the side of whoever types and looks. */
export type Terminal = {
  /** What is typed. While the process does not read it, it is full. */
  readonly input: Writable;
  readonly resize: (size: TerminalSize) => void;
};

/** Somebody who looks at a module's terminal. */
export type Viewer = {
  readonly size: TerminalSize;
  readonly printed: (bytes: Buffer) => void;
  /** The process has ended, in words how; nothing comes afterwards. */
  readonly ended: (how: string) => void;
};

/** A viewer's place at a terminal. */
export type Attachment = {
  /** What the module printed last, so far as it is kept. */
  readonly scrollback: Buffer;
  readonly input: Writable;
  readonly resize: (size: TerminalSize) => void;
  /** Calls `action` again and again, once a second, until it is cancelled. */
  readonly everySecond: (action: () => void) => Cancel;
  readonly detach: () => void;
};

/** What those see who attach to a module, over all of its processes. */
export type Screen = {
  readonly size: () => TerminalSize;
  readonly print: (bytes: Buffer) => void;
  readonly connect: (terminal: Terminal) => void;
  readonly disconnect: (how: string) => void;
  /** Throws the Failure `module.exec` while no process runs, or too many look at it. */
  readonly attach: (viewer: Viewer) => Attachment;
};

const USUAL_SIZE: TerminalSize = { columns: 80, rows: 24 };
const NEWLINE = 0x0a;

/** Milliseconds that a terminal has another size, so that its program looks at it. */
const REDRAW = 50;

const SECOND = 1_000;

export function createScreen(module: string, clock: Clock): Screen {
  /** By viewer, the size of its window. */
  const viewers = new Map<Viewer, TerminalSize>();
  let size = USUAL_SIZE;
  let terminal: Terminal | undefined;
  const kept: Buffer[] = [];
  let bytes = 0;

  /** All see the same, so it is as small as the smallest of their windows. With none it stays as it was. */
  const fit = (): void => {
    const sizes = [...viewers.values()];
    if (sizes.length === 0) return;
    size = {
      columns: Math.min(...sizes.map(one => one.columns)),
      rows: Math.min(...sizes.map(one => one.rows)),
    };
    terminal?.resize(size);
  };

  /** Programs that fill the screen draw it anew when its size changes, and so show all of it to a new viewer. */
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
    while (bytes - (kept[0]?.length ?? 0) >= SCROLLBACK_BYTES) bytes -= kept.shift()?.length ?? 0;
  };

  /** From the beginning of a line on: what stands before it may be half a command to the terminal. */
  const scrollback = (): Buffer => {
    const all = Buffer.concat(kept, bytes);
    if (all.length <= SCROLLBACK_BYTES) return all;
    const last = all.subarray(-SCROLLBACK_BYTES);
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
        throw new Failure('module.exec', `Module "${module}" does not run: see "skerry ps" and start it.`);
      if (viewers.size >= MAX_VIEWERS)
        throw new Failure(
          'module.exec',
          `Module "${module}" has ${MAX_VIEWERS} viewers: detach one of them.`,
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
