import { Failure } from '../../../core/errors.ts';
import { MAX_PASSWORD_BYTES } from '../../limits.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const END_OF_TEXT = 0x03;
const END_OF_INPUT = 0x04;
const BACKSPACES = [0x08, 0x7f];

/**
 * Reads one line of standard input without its line end. Stops when the line is longer than `most` bytes, and
 * returns the bytes that were read. On a terminal, prints `question` and does not echo the input.
 */
export async function readSecret(question: string, most: number = MAX_PASSWORD_BYTES): Promise<Buffer> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) return readLine(most);
  // Raw mode is set before the question is printed, so that the terminal never echoes the input.
  stdin.setRawMode(true);
  stderr.write(question);
  try {
    return await readLine(most);
  } finally {
    stdin.setRawMode(false);
    stderr.write('\n');
  }
}

/**
 * Reads standard input. Stops when the input is longer than `most` bytes, and returns the bytes that were
 * read. Removes the line end if there is only one line.
 */
export async function readSecretFile(most: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of process.stdin) {
    pieces.push(piece);
    size += piece.length;
    if (size > most + 2) break;
  }
  const all = Buffer.concat(pieces);
  const end = all.indexOf(NEWLINE);
  if (end < 0 || end < all.length - 1) return all;
  return all.subarray(0, all[end - 1] === RETURN ? end - 1 : end);
}

/**
 * Reads a line from standard input. Handles backspace and end of input, because a terminal in raw mode does
 * not handle them.
 */
function readLine(most: number): Promise<Buffer> {
  const { stdin } = process;
  const bytes: number[] = [];
  return new Promise((resolve, reject) => {
    const end = (failure?: Failure): void => {
      stdin.pause();
      stdin.removeAllListeners('data').removeAllListeners('end');
      if (failure === undefined) resolve(Buffer.from(bytes));
      else reject(failure);
    };
    stdin.on('end', () => end());
    stdin.on('data', (chunk: Buffer) => {
      for (const byte of chunk) {
        if (byte === NEWLINE || byte === RETURN || bytes.length > most) return end();
        if (stdin.isTTY && byte === END_OF_TEXT) return end(new Failure('usage', 'Interrupted.'));
        if (stdin.isTTY && byte === END_OF_INPUT) return end();
        if (stdin.isTTY && BACKSPACES.includes(byte)) dropCharacter(bytes);
        else bytes.push(byte);
      }
    });
    stdin.resume();
  });
}

/**
 * Removes the last UTF-8 character: all of its continuation bytes (bytes that begin with the bits 10), and
 * its first byte.
 */
function dropCharacter(bytes: number[]): void {
  while (((bytes.pop() ?? 0) & 0xc0) === 0x80);
}
