/**
 * Tracker of the terminal modes that a module's output changes, to restore the user's terminal at the end.
 */
export type Restorer = {
  /** Scans output that is written to the terminal. */
  readonly see: (output: Buffer) => void;
  /** Returns the escape sequence that restores the terminal and begins a new line. */
  readonly sequence: () => string;
};

/** DEC private modes of xterm that are off by default. */
const OFF = [1, 9, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 2004];

/** DEC private mode that shows the cursor. The mode is on by default. */
const CURSOR = 25;
const ALTERNATE = [47, 1047, 1049];

const INTRODUCER = '\x1b[?';
const MODES = /^([\d;]{1,64})([hl])/;

/**
 * Maximum characters of an incomplete escape sequence. They are saved until the next output completes the
 * sequence.
 */
const MAX_SEQUENCE_LENGTH = 70;

export function createRestorer(): Restorer {
  const changed = new Map<number, boolean>();
  let tail = '';
  return {
    see: output => {
      const text = tail + output.toString('latin1');
      for (const piece of text.split(INTRODUCER).slice(1)) {
        const [, modes = '', switched] = MODES.exec(piece) ?? [];
        for (const mode of modes.split(';')) changed.set(Number(mode), switched === 'h');
      }
      tail = text.slice(-MAX_SEQUENCE_LENGTH);
    },
    sequence: () => {
      const on = [...OFF, ...ALTERNATE].filter(mode => changed.get(mode) === true);
      const cursor = changed.get(CURSOR) === false ? `\x1b[?${CURSOR}h` : '';
      // `\x1b[m` resets the colours, and `\x1b>` the keypad mode.
      return `${on.map(mode => `\x1b[?${mode}l`).join('')}${cursor}\x1b[m\x1b>\r\n`;
    },
  };
}
