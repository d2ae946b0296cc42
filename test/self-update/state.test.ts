import { mkdirSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readEnvMarkers, withMarkers, withoutMarkers } from '../../src/self-update/env-markers.ts';
import { updatePaths } from '../../src/self-update/paths.ts';
import type { Trial, UpdateState } from '../../src/self-update/state.ts';
import { readUpdateState, writeUpdateState } from '../../src/self-update/state.ts';
import type { TrialFindings } from '../../src/self-update/trial-counter.ts';
import { nextTrialState } from '../../src/self-update/trial-counter.ts';
import { folderWith, removeFolder } from '../harness/binary.ts';

const TRIAL: Trial = {
  slot: 'b',
  limits: { starts: 3, seconds: 120, grace: 15 },
  tries: 1,
  seconds: 0,
  lastEnd: '',
};
const STATE: UpdateState = {
  base: { path: '/usr/bin/skerry', size: 110_000_000, changed: 1.5, inode: 7, sha256: 'c'.repeat(64) },
  current: 'a',
  slots: {
    a: { sha256: 'a'.repeat(64), size: 1, version: '1.0.0' },
    b: { sha256: 'b'.repeat(64), size: 2, version: '1.1.0' },
  },
  trial: TRIAL,
  guard: { pid: 10, started: 20, boot: 'x' },
  returned: { sha256: 'd'.repeat(64), version: '0.9.0', reason: 'it was bad' },
};
const WATCHDOG = { pid: 11, started: 21, boot: 'y' };

const stateFile = suite<{ folder: string }>('self-update: state file', { folder: '' });
stateFile.before.each(context => {
  context.folder = folderWith({});
});
stateFile.after.each(({ folder }) => removeFolder(folder));

stateFile('an update state that was written is read with the same values', ({ folder }) => {
  const paths = updatePaths(folder);
  assert.equal(readUpdateState(paths), {});
  writeUpdateState(paths, STATE);
  assert.equal(readUpdateState(paths), { state: STATE });
  const minimal: UpdateState = { base: STATE.base, current: 'base', slots: {} };
  writeUpdateState(paths, minimal);
  assert.equal(readUpdateState(paths), { state: minimal });
});

stateFile('an update state with unknown fields of a later version is read', ({ folder }) => {
  const paths = updatePaths(folder);
  mkdirSync(paths.folder);
  const later = { ...STATE, channel: 'stable', slots: { ...STATE.slots, c: { size: 'x' } } };
  writeFileSync(paths.state, JSON.stringify(later));
  assert.equal(readUpdateState(paths), { state: STATE });
});

stateFile(
  'an update state with changed bytes is either read or reported as damaged, without an exception',
  ({ folder }) => {
    const paths = updatePaths(folder);
    mkdirSync(paths.folder);
    const text = JSON.stringify(STATE);
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(30), fc.string({ maxLength: 5 }), (at, length, other) => {
        writeFileSync(paths.state, text.slice(0, at) + other + text.slice(at + length));
        const { state, damaged } = readUpdateState(paths);
        assert.is(state === undefined, damaged !== undefined);
        seen.add(state === undefined ? 'damaged' : 'read');
      }),
      { numRuns: 1000 },
    );
    assert.is(seen.size, 2);
    writeFileSync(paths.state, text + ' '.repeat(1 << 16));
    assert.equal(readUpdateState(paths), { damaged: 'it is too long' });
  },
);

const CUT_OFF: TrialFindings = { ended: undefined, stopped: false, damage: undefined };

/** Trial and findings, with the number of the next start or the reason of the failure. */
const DECISIONS: readonly (readonly [Partial<Trial>, Partial<TrialFindings>, number | string])[] = [
  [{ tries: 0 }, {}, 1],
  [{ tries: 1 }, {}, 2],
  [{ tries: 2 }, { ended: { how: 0, seconds: 1 } }, 3],
  [{ tries: 3 }, {}, 'it was not healthy in 3 starts: the last start was cut off'],
  [{ tries: 3 }, { stopped: true }, 3],
  [{ tries: 0 }, { stopped: true }, 1],
  [
    { tries: 3 },
    { ended: { how: 1, seconds: 1 } },
    'it was not healthy in 3 starts: the last start exited with code 1',
  ],
  [
    { tries: 3 },
    { ended: { how: 139, seconds: 1 } },
    'it was not healthy in 3 starts: the last start was killed by SIGSEGV',
  ],
  [
    { tries: 3 },
    { ended: { how: 255, seconds: 1 } },
    'it was not healthy in 3 starts: the last start exited with code 255',
  ],
  [{ tries: 1 }, { ended: { how: 'late', seconds: 120 } }, 'it was not healthy within 120 seconds'],
  [{ tries: 2, seconds: 60 }, { ended: { how: 1, seconds: 59 } }, 3],
  [
    { tries: 2, seconds: 60 },
    { ended: { how: 1, seconds: 60 } },
    'it was not healthy within 120 seconds: the last start exited with code 1',
  ],
  [{ tries: 0 }, { damage: '/x is damaged' }, '/x is damaged'],
];

for (const [index, [trial, findings, expected]] of DECISIONS.entries()) {
  stateFile(
    `trial ${index + 1} of the table ${typeof expected === 'number' ? `continues with start ${expected}` : `fails because ${expected}`}`,
    () => {
      const next = nextTrialState(STATE, { ...TRIAL, ...trial }, { ...CUT_OFF, ...findings }, WATCHDOG);
      assert.is(next.current, 'a');
      if (typeof expected === 'number') {
        assert.equal([next.trial?.tries, next.guard], [expected, WATCHDOG]);
        assert.is(next.returned, STATE.returned);
      } else {
        assert.equal([next.trial, next.guard], [undefined, undefined]);
        assert.equal(next.returned, { sha256: 'b'.repeat(64), version: '1.1.0', reason: expected });
      }
    },
  );
}

stateFile('`readEnvMarkers` returns the environment markers that `withMarkers` has set', () => {
  const paths = updatePaths('/data');
  const env = { PATH: '/bin', SKERRY_TRIAL_ENDED: 'late 12' };
  assert.equal(readEnvMarkers(env, paths), {
    slot: undefined,
    watchdog: undefined,
    ended: { how: 'late', seconds: 12 },
  });
  const guarded = withMarkers(env, paths, 'b', WATCHDOG);
  assert.equal(readEnvMarkers(guarded, paths), { slot: 'b', watchdog: 11, ended: undefined });
  assert.equal(readEnvMarkers(withMarkers(env, paths, 'a'), paths), {
    slot: 'a',
    watchdog: undefined,
    ended: undefined,
  });
  // Markers of a hub with another data folder are ignored.
  assert.is(readEnvMarkers(guarded, updatePaths('/other')).slot, undefined);
  assert.equal(withoutMarkers(guarded), { PATH: '/bin' });
  for (const odd of ['', 'x 1', '1', '1 x', '-1 1', '1 1; x'])
    assert.is(readEnvMarkers({ SKERRY_TRIAL_ENDED: odd }, paths).ended, undefined);
});

stateFile.run();
