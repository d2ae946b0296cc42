import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ExecuteOptions, ExecuteStep } from '../../src/deployment/plan-executor.ts';
import { createPlanExecutor } from '../../src/deployment/plan-executor.ts';
import { stepLabel } from '../../src/deployment/plan-text.ts';
import type { Placed } from '../../src/manifest/diff/plan.ts';
import { parseManifest } from '../../src/manifest/read.ts';

function placed(modules: object, more: object = {}): Placed {
  const manifest = { name: 'a', listeners: [], modules, ...more };
  return { manifest: parseManifest(JSON.stringify(manifest), 'm.json'), home: '/' };
}

const m = (exec: string, startupOrder = 0): object => ({ exec: [exec], io: 'lines', startupOrder });

/** A conductor whose steps a test lets fail or wait; `taken` are those that began. */
function stage(hinder: (label: string) => Promise<void> | undefined = () => undefined) {
  const taken: string[] = [];
  const notes: string[] = [];
  const execute: ExecuteStep = async step => {
    taken.push(stepLabel(step));
    await hinder(stepLabel(step));
  };
  const abort = new AbortController();
  const note: ExecuteOptions['beforeStep'] = async (step, index, of) => {
    notes.push(`${index}/${of} ${stepLabel(step)}`);
  };
  const conductor = createPlanExecutor(placed({}), execute);
  return {
    conductor,
    taken,
    notes,
    abort,
    passage: (stubborn = false): ExecuteOptions => ({
      signal: abort.signal,
      beforeStep: note,
      continueOnError: stubborn,
    }),
  };
}

const reasonOf = (work: Promise<void>): Promise<string> =>
  work.then(
    () => 'none',
    (thrown: Error) => thrown.message,
  );

const conductor = suite('deployments: conductor');

conductor('each step is noted before it is taken, and then the target is what runs', async () => {
  const { conductor: it, taken, notes, passage } = stage();
  const target = placed({ a: m('x'), b: m('x', 1) });
  await it.execute(target, passage());
  assert.equal(taken, [
    'fetch what is missing',
    'change the access rules',
    'change the routes',
    'start "a"',
    'start "b"',
  ]);
  assert.equal(
    notes,
    taken.map((label, index) => `${index + 1}/5 ${label}`),
  );
  assert.is(it.current(), target);
  await it.execute(target, passage());
  assert.is(taken.length, 5);
});

conductor('a step that fails ends the way; the next one takes it again', async () => {
  let fails = true;
  const hinder = async (label: string): Promise<void> => {
    if (fails && label === 'start "a"') throw new Error('no a');
  };
  const { conductor: it, taken, passage } = stage(hinder);
  const target = placed({ a: m('x'), b: m('x', 1) });
  assert.is(await reasonOf(it.execute(target, passage())), 'no a');
  assert.is(taken.at(-1), 'start "a"');
  fails = false;
  taken.length = 0;
  await it.execute(target, passage());
  assert.equal(taken, ['fetch what is missing', 'stop "a"', 'start "a"', 'start "b"']);
});

conductor('a part of the hub that failed is told again on the way back, and nothing else', async () => {
  const hinder = async (label: string): Promise<void> => {
    if (label === 'change the listeners') throw new Error('in use');
  };
  const { conductor: it, taken, passage } = stage(hinder);
  const before = placed({ a: { exec: ['x'] } });
  await it.execute(before, passage());
  taken.length = 0;
  const target = placed({ a: { exec: ['x'] } }, { listeners: [{ ws: '127.0.0.1:1' }] });
  assert.is(await reasonOf(it.execute(target, passage())), 'in use');
  await reasonOf(it.execute(before, passage()));
  assert.equal(taken, ['change the listeners', 'change the listeners']);
});

conductor('a stubborn one takes all other steps, and then says what failed first', async () => {
  const hinder = async (label: string): Promise<void> => {
    if (label !== 'start "b"') throw new Error(label);
  };
  const { conductor: it, taken, passage } = stage(hinder);
  const target = placed({ a: m('x'), b: m('x', 1) });
  assert.is(await reasonOf(it.execute(target, passage(true))), 'fetch what is missing');
  assert.is(taken.at(-1), 'start "b"');
  assert.is(it.current(), target);
});

conductor('it is left at once, also by a stubborn one; what its step waits for counts as taken', async () => {
  for (const stubborn of [false, true]) {
    const {
      conductor: it,
      taken,
      passage,
      abort,
    } = stage(label => (label === 'start "a"' ? new Promise(() => {}) : undefined));
    const going = reasonOf(it.execute(placed({ a: m('x'), b: m('x', 1) }), passage(stubborn)));
    while (!taken.includes('start "a"')) await new Promise(done => setImmediate(done));
    abort.abort(new Error('left'));
    assert.is(await going, 'left');
    assert.equal(
      it.current().manifest.modules.map(({ name }) => name),
      ['a'],
    );
    const { passage: next } = stage();
    taken.length = 0;
    await it.execute(placed({ a: m('x'), c: m('x', 1) }), next());
    assert.not(taken.includes('stop "a"'));
    assert.ok(taken.includes('start "c"'));
  }
});

conductor('left between a note and its step, the step is not begun', async () => {
  const { conductor: it, taken, abort } = stage();
  const note = async (): Promise<void> => abort.abort(new Error('left'));
  const going = it.execute(placed({ a: m('x') }), {
    signal: abort.signal,
    beforeStep: note,
    continueOnError: false,
  });
  assert.is(await reasonOf(going), 'left');
  assert.equal(taken, []);
});

conductor.run();
