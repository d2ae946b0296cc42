import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createProgress } from '../../src/cli/output/progress.ts';

const CLEAR = '\r\x1b[K';

/** Returns the output of a progress that is shown at these times in milliseconds. */
function written(isTTY: boolean, times: readonly number[], columns = 80): string[] {
  const texts: string[] = [];
  const terminal = { isTTY, columns, write: (text: string | Uint8Array) => texts.push(String(text)) > 0 };
  let now = 0;
  const progress = createProgress(terminal, () => now);
  for (const time of times) {
    now = time;
    progress.show('writing a.skerry', time << 20, 180 << 20);
  }
  progress.end();
  return texts;
}

const progress = suite('cli: progress');

progress('the progress line on a terminal shows bytes and percent and is cleared at the end', () => {
  assert.equal(written(true, [18, 50, 90]), [`${CLEAR}writing a.skerry: 18.0 MB of 180.0 MB, 10 %`, CLEAR]);
  assert.is(written(true, [18, 150, 180]).length, 3);
});

progress('a progress line is cut to the width of the terminal', () => {
  assert.is(written(true, [18], 12)[0], `${CLEAR}writing a.s`);
});

progress('no progress line is printed if the output is a file or a pipe', () => {
  assert.equal(written(false, [18, 300]), []);
});

progress.run();
