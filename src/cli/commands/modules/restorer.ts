/** Gives a terminal back as it was taken, whatever a program that was shown in it did to it and left undone. */
export type Restorer = {
  /** What is shown. */
  readonly see: (output: Buffer) => void;
  /** What undoes it, and begins a line. */
  readonly sequence: () => string;
};

/** Modes of xterm, DEC's private ones: those that are off in a terminal that nobody changed, and the cursor, which is on. */
const OFF = [1, 9, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 2004];
const CURSOR = 25;
const ALTERNATE = [47, 1047, 1049];

const INTRODUCER = '\x1b[?';
const MODES = /^([\d;]{1,64})([hl])/;

/** Longest beginning of such a sequence: it may come in two pieces. */
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
      // Besides: usual colours, and the keypad as numbers.
      return `${on.map(mode => `\x1b[?${mode}l`).join('')}${cursor}\x1b[m\x1b>\r\n`;
    },
  };
}
