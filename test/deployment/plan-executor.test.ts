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

/** Creates an executor whose steps run `beforeStart` first. `begun` has the labels of the begun steps. */
function createExecutor(beforeStart: (label: string) => Promise<void> | undefined = () => undefined) {
  const begun: string[] = [];
  const records: string[] = [];
  const execute: ExecuteStep = async step => {
    begun.push(stepLabel(step));
    await beforeStart(stepLabel(step));
  };
  const abort = new AbortController();
  const record: ExecuteOptions['beforeStep'] = async (step, index, of) => {
    records.push(`${index}/${of} ${stepLabel(step)}`);
  };
  const executor = createPlanExecutor(placed({}), execute);
  return {
    executor,
    begun,
    records,
    abort,
    options: (continueOnError = false): ExecuteOptions => ({
      signal: abort.signal,
      beforeStep: record,
      continueOnError,
    }),
  };
}

const reasonOf = (work: Promise<void>): Promise<string> =>
  work.then(
    () => 'none',
    (thrown: Error) => thrown.message,
  );

const executor = suite('deployments: plan executor');

executor('each step of a plan is written to the deployment state before the step runs', async () => {
  const { executor, begun, records, options } = createExecutor();
  const target = placed({ a: m('x'), b: m('x', 1) });
  await executor.execute(target, options());
  assert.equal(begun, [
    'fetch missing files',
    'change the access rules',
    'change the routes',
    'start "a"',
    'start "b"',
  ]);
  assert.equal(
    records,
    begun.map((label, index) => `${index + 1}/5 ${label}`),
  );
  assert.is(executor.current(), target);
  await executor.execute(target, options());
  assert.is(begun.length, 5);
});

executor('a failed step ends the execution of a plan, and the next execution repeats this step', async () => {
  let fails = true;
  const beforeStart = async (label: string): Promise<void> => {
    if (fails && label === 'start "a"') throw new Error('no a');
  };
  const { executor, begun, options } = createExecutor(beforeStart);
  const target = placed({ a: m('x'), b: m('x', 1) });
  assert.is(await reasonOf(executor.execute(target, options())), 'no a');
  assert.is(begun.at(-1), 'start "a"');
  fails = false;
  begun.length = 0;
  await executor.execute(target, options());
  assert.equal(begun, ['fetch missing files', 'stop "a"', 'start "a"', 'start "b"']);
});

executor('a rollback configures only the hub component whose step failed', async () => {
  const beforeStart = async (label: string): Promise<void> => {
    if (label === 'change the listeners') throw new Error('in use');
  };
  const { executor, begun, options } = createExecutor(beforeStart);
  const before = placed({ a: { exec: ['x'] } });
  await executor.execute(before, options());
  begun.length = 0;
  const target = placed({ a: { exec: ['x'] } }, { listeners: [{ ws: '127.0.0.1:1' }] });
  assert.is(await reasonOf(executor.execute(target, options())), 'in use');
  await reasonOf(executor.execute(before, options()));
  assert.equal(begun, ['change the listeners', 'change the listeners']);
});

executor('a plan with continueOnError runs all steps and then reports the first failure', async () => {
  const beforeStart = async (label: string): Promise<void> => {
    if (label !== 'start "b"') throw new Error(label);
  };
  const { executor, begun, options } = createExecutor(beforeStart);
  const target = placed({ a: m('x'), b: m('x', 1) });
  assert.is(await reasonOf(executor.execute(target, options(true))), 'fetch missing files');
  assert.is(begun.at(-1), 'start "b"');
  assert.is(executor.current(), target);
});

executor('an abort ends the execution of a plan without waiting for the running step', async () => {
  for (const continueOnError of [false, true]) {
    const { executor, begun, options, abort } = createExecutor(label =>
      label === 'start "a"' ? new Promise(() => {}) : undefined,
    );
    const going = reasonOf(executor.execute(placed({ a: m('x'), b: m('x', 1) }), options(continueOnError)));
    while (!begun.includes('start "a"')) await new Promise(done => setImmediate(done));
    abort.abort(new Error('left'));
    assert.is(await going, 'left');
    assert.equal(
      executor.current().manifest.modules.map(({ name }) => name),
      ['a'],
    );
    const { options: next } = createExecutor();
    begun.length = 0;
    await executor.execute(placed({ a: m('x'), c: m('x', 1) }), next());
    assert.not(begun.includes('stop "a"'));
    assert.ok(begun.includes('start "c"'));
  }
});

executor('a step of a plan does not run if an abort follows after the step was recorded', async () => {
  const { executor, begun, abort } = createExecutor();
  const record = async (): Promise<void> => abort.abort(new Error('left'));
  const going = executor.execute(placed({ a: m('x') }), {
    signal: abort.signal,
    beforeStep: record,
    continueOnError: false,
  });
  assert.is(await reasonOf(going), 'left');
  assert.equal(begun, []);
});

executor.run();
