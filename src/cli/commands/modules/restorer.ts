/** Tracks the terminal modes that a module's output changes, so that the user's terminal can be restored. */
export type Restorer = {
  /** Registers output that is sent to the terminal. */
  readonly see: (output: Buffer) => void;
  /** Escape sequence that restores the terminal and begins a line. */
  readonly sequence: () => string;
};

/** DEC private modes of xterm that are off by default, and the mode of the cursor, which is on by default. */
const OFF = [1, 9, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 2004];
const CURSOR = 25;
const ALTERNATE = [47, 1047, 1049];

const INTRODUCER = '\x1b[?';
const MODES = /^([\d;]{1,64})([hl])/;

/** Maximum length of an incomplete sequence, because output may split a sequence. */
const LONGEST = 70;

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
      tail = text.slice(-LONGEST);
    },
    sequence: () => {
      const on = [...OFF, ...ALTERNATE].filter(mode => changed.get(mode) === true);
      const cursor = changed.get(CURSOR) === false ? `\x1b[?${CURSOR}h` : '';
      // Also resets the colours and the keypad mode.
      return `${on.map(mode => `\x1b[?${mode}l`).join('')}${cursor}\x1b[m\x1b>\r\n`;
    },
  };
}
