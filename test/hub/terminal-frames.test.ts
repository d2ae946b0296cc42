import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRestorer } from '../../src/cli/commands/modules/restorer.ts';
import type { Frame, FrameKind } from '../../src/hub/control/terminal-frames.ts';
import { createFrameReader, frameOf, sizeFrame, sizeIn } from '../../src/hub/control/terminal-frames.ts';

const test = suite('hub: terminal frames');

const KINDS: FrameKind[] = ['output', 'ended', 'input', 'size'];
const frames = fc.array(fc.tuple(fc.constantFrom(...KINDS), fc.uint8Array({ maxLength: 40 })), {
  maxLength: 10,
});

/** Splits bytes at the given offsets. */
function piecesOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map(cut => cut % (bytes.length + 1)), bytes.length].sort(
    (one, other) => one - other,
  );
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

test('the frame reader returns complete terminal frames, however the stream is split into chunks', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(), { maxLength: 8 }), (sent, cuts) => {
      const bytes = Buffer.concat(sent.map(([kind, payload]) => frameOf(kind, Buffer.from(payload))));
      const read = createFrameReader(40);
      const got: Frame[] = piecesOf(bytes, cuts).flatMap(piece => read(piece) ?? []);
      assert.equal(
        got.map(({ kind, payload }) => [kind, [...payload]]),
        sent.map(([kind, payload]) => [kind, [...payload]]),
      );
    }),
  );
});

test('an invalid or too long terminal frame is refused after its header', () => {
  assert.is(createFrameReader(10)(Buffer.from([4, 0, 0, 0, 0])), undefined);
  assert.is(createFrameReader(10)(Buffer.from([2, 0, 0, 0, 11])), undefined);
  assert.equal(createFrameReader(10)(Buffer.from([2, 0, 0, 0, 10])), []);
});

test('a size frame with zero columns or with missing bytes is refused', () => {
  const size = { columns: 300, rows: 7 };
  const [frame] = createFrameReader(10)(sizeFrame(size)) ?? [];
  assert.equal(sizeIn(frame?.payload ?? Buffer.alloc(0)), size);
  assert.is(sizeIn(Buffer.from([0, 0, 0, 1])), undefined);
  assert.is(sizeIn(Buffer.from([0, 1, 0])), undefined);
});

test('when a program ends, only the terminal modes that the program has set are reset', () => {
  const did = '\x1b[?1049h\x1b[?25l\x1b[?1000;1006h\x1b[31mred\x1b[?2004h\x1b[?2004l';
  for (let cut = 0; cut <= did.length; cut += 1) {
    const restorer = createRestorer();
    restorer.see(Buffer.from(did.slice(0, cut)));
    restorer.see(Buffer.from(did.slice(cut)));
    assert.is(restorer.sequence(), '\x1b[?1000l\x1b[?1006l\x1b[?1049l\x1b[?25h\x1b[m\x1b>\r\n');
  }
  assert.is(createRestorer().sequence(), '\x1b[m\x1b>\r\n');
});

test.run();
