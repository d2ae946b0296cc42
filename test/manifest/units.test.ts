import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { durationOf, sizeOf } from '../../src/manifest/units.ts';

const units = suite('manifest: units');

const DURATIONS: readonly (readonly [string | number, number | undefined])[] = [
  ['250ms', 250],
  ['90s', 90_000],
  ['1.5h', 5_400_000],
  ['7d', 604_800_000],
  ['2 h', 7_200_000],
  [5, 5000],
  [-1, undefined],
  ['5', undefined],
  ['5w', undefined],
  ['-5s', undefined],
  ['', undefined],
  ['h', undefined],
  ['1e9d', undefined],
  ['1.0005ms', 1],
  ['9007199254740991ms', Number.MAX_SAFE_INTEGER],
  ['9007199254740992ms', undefined],
  ['999999999999d', undefined],
  [Number.POSITIVE_INFINITY, undefined],
];

const SIZES: readonly (readonly [string | number, number | undefined])[] = [
  ['512M', 536_870_912],
  ['64K', 65_536],
  ['1.5G', 1_610_612_736],
  ['100', 100],
  [4096, 4096],
  [1.5, undefined],
  ['1MB', undefined],
  ['constructor', undefined],
  ['0.3M', 314_573],
  ['999999999999T', undefined],
  [2 ** 53, undefined],
];

units('durations are parsed to milliseconds', () => {
  for (const [written, milliseconds] of DURATIONS)
    assert.is(durationOf(written), milliseconds, String(written));
});

units('sizes are parsed to bytes', () => {
  for (const [written, bytes] of SIZES) assert.is(sizeOf(written), bytes, String(written));
});

units.run();
