import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Placed, PlanStep } from '../../../src/manifest/diff/plan.ts';
import { planOf, stateAfterFailure, stateAfterStep } from '../../../src/manifest/diff/plan.ts';
import { parseManifest } from '../../../src/manifest/read.ts';
import type { Manifest } from '../../../src/manifest/types.ts';

const SHA = (digit: string): string => digit.repeat(64);

function placed(manifest: object, home: string): Placed {
  return { manifest: parseManifest(JSON.stringify(manifest), 'm.json'), home };
}

const words = ({ steps }: { readonly steps: readonly PlanStep[] }): string[] =>
  steps.map(step => ('modules' in step ? `${step.kind} ${step.modules.join(' ')}` : step.kind));

const planSteps = suite('manifest: steps of a plan');

const bundle = fc.constantFrom('a', 'b').map(digit => ({ sha256: SHA(digit) }));
const module = fc.record(
  {
    exec: fc.constantFrom(['x'], ['y']),
    io: fc.constantFrom('lines', 'mqtt'),
    startupOrder: fc.integer({ min: 0, max: 2 }),
    env: fc.constantFrom({}, { A: '1' }),
    limits: fc.constantFrom({}, { pids: 5 }),
    publish: fc.constantFrom([], ['a']),
    bundle,
  },
  { requiredKeys: ['exec'] },
);
const LISTENERS = [
  [],
  [{ mqtt: '127.0.0.1:1' }],
  [{ mqtt: '127.0.0.1:1' }, { ws: '127.0.0.1:2' }],
  [{ mqtt: '127.0.0.1:3' }],
  [{ unix: 's' }],
];
const UPSTREAM = fc.constantFrom({ url: 'mqtt://a' }, { url: 'mqtt://b' });
const anyPlaced = fc
  .tuple(
    fc.record(
      {
        name: fc.constantFrom('a', 'b'),
        modules: fc.dictionary(fc.constantFrom('k', 'l', 'm', 'n'), module),
        routes: fc.constantFrom({}, { r: 'FROM /* INTO topic("a")' }),
        users: fc.constantFrom({}, { u: { certificate: 'u' } }),
        listeners: fc.constantFrom(...LISTENERS),
        storeAndForward: fc.constantFrom({}, { ttl: '1h' }),
        limits: fc.constantFrom({}, { packetSize: '2K' }),
        upstreams: fc.dictionary(fc.constantFrom('upstream', 'cloud'), UPSTREAM),
      },
      { requiredKeys: ['name'] },
    ),
    fc.constantFrom('/here', '/there'),
  )
  .map(([manifest, home]) => placed(manifest, home));

/**
 * Minimal model of a hub: the manifest that each component was last configured with, and the entry that each
 * process was started with.
 */
type Machine = { readonly parts: Record<string, unknown>; readonly processes: Map<string, Process> };
type Process = { readonly started: unknown; readonly held: unknown; readonly order: number };

const brokerOf = ({ listeners }: Manifest): unknown => listeners.find(({ kind }) => kind === 'mqtt');

function configure(machine: Machine, part: string, { manifest, home }: Placed): void {
  const { name, modules, routes, listeners } = manifest;
  const isOfFiles = listeners.some(({ kind }) => kind === 'unix');
  const grants = new Map(modules.map(entry => [entry.name, [entry.publish, entry.subscribe]]));
  machine.parts[part] = {
    storage: manifest.storeAndForward,
    limits: manifest.limits,
    access: [manifest.users, grants],
    routes: [name, routes, new Set(grants.keys()), new Set(manifest.upstreams.map(one => one.name))],
    listeners: [listeners, isOfFiles && home],
    upstreams: new Map(manifest.upstreams.map(one => [one.name, [name, one]])),
  }[part];
}

/** Applies a step. A module to start must not run, and a module to stop or adjust must run. */
function applyStep(machine: Machine, step: PlanStep, target: Placed): void {
  if (!('modules' in step)) {
    if (step.kind !== 'prepare') configure(machine, step.kind, target);
    return;
  }
  for (const name of step.modules) {
    const before = machine.processes.get(name);
    assert.is(before === undefined, step.kind === 'start', `${step.kind} ${name}`);
    machine.processes.delete(name);
    const entry = target.manifest.modules.find(other => other.name === name);
    if (step.kind === 'stop' || entry === undefined) continue;
    const { exec, io, env, bundle: archive, limits, startupOrder: order } = entry;
    const cwd = archive?.sha256 ?? target.home;
    const started = before?.started ?? [exec, io, env, cwd, io === 'mqtt' && brokerOf(target.manifest)];
    machine.processes.set(name, { started, held: limits, order });
  }
}

function machineOf(target: Placed): Machine {
  const machine: Machine = { parts: {}, processes: new Map() };
  for (const part of ['storage', 'limits', 'access', 'routes', 'listeners', 'upstreams'])
    configure(machine, part, target);
  const names = target.manifest.modules.map(({ name }) => name);
  applyStep(machine, { kind: 'start', modules: names }, target);
  return machine;
}

/** Applies all steps of a plan, or at most `most` of them. Returns the resulting state. */
function applyPlan(machine: Machine, from: Placed, to: Placed, most = Number.POSITIVE_INFINITY): Placed {
  let current = from;
  for (const step of planOf(from, to).steps.slice(0, most)) {
    applyStep(machine, step, to);
    current = stateAfterStep(current, step, to);
  }
  return current;
}

const FULL = { numRuns: 500 };

planSteps('the steps of a plan turn any running manifest into any other manifest', () => {
  const property = fc.property(anyPlaced, anyPlaced, (from, to) => {
    const machine = machineOf(from);
    const arrived = applyPlan(machine, from, to);
    assert.equal(machine, machineOf(to));
    assert.equal(words(planOf(arrived, to)), []);
    assert.equal(words(planOf(to, to)), []);
  });
  fc.assert(property, FULL);
});

planSteps('a plan has no step for a setting that is equal in the old and the new manifest', () => {
  const property = fc.property(anyPlaced, anyPlaced, (from, to) => {
    const [before, after] = [machineOf(from), machineOf(to)];
    const { modules, steps } = planOf(from, to);
    const touched = steps.flatMap(step => ('modules' in step ? step.modules : []));
    for (const { module: name, change } of modules) {
      const [was, is] = [before.processes.get(name), after.processes.get(name)];
      const same = isDeepStrictEqual(was?.started, is?.started) && was !== undefined;
      assert.is(change === 'keep' || change === 'adjust', same, name);
      assert.is(touched.includes(name), change !== 'keep', name);
      assert.is(change === 'keep', isDeepStrictEqual(was, is), name);
    }
    const applied = steps.filter(step => !('modules' in step) && step.kind !== 'prepare');
    const differing = Object.keys(after.parts).filter(
      part => !isDeepStrictEqual(before.parts[part], after.parts[part]),
    );
    assert.equal(words({ steps: applied }), differing);
  });
  fc.assert(property, FULL);
});

planSteps('after any interrupted plan, a new plan leads to its target manifest', () => {
  const property = fc.property(anyPlaced, anyPlaced, anyPlaced, fc.nat(12), (from, to, third, taken) => {
    const machine = machineOf(from);
    const left = applyPlan(machine, from, to, taken);
    applyPlan(machine, left, third);
    assert.equal(machine, machineOf(third));
  });
  fc.assert(property, FULL);
});

planSteps('each step that failed in a plan is repeated by the next plan', () => {
  const property = fc.property(anyPlaced, anyPlaced, anyPlaced, fc.nat(12), (from, to, third, taken) => {
    const { steps } = planOf(from, to);
    const failed = steps[taken % Math.max(1, steps.length)];
    if (failed === undefined || failed.kind === 'prepare' || failed.kind === 'stop') return;
    const left = applyPlan(machineOf(from), from, to, steps.indexOf(failed));
    const after = planOf(stateAfterFailure(stateAfterStep(left, failed, to), failed), third);
    if (!('modules' in failed)) {
      assert.ok(words(after).includes(failed.kind));
      return;
    }
    const expected = failed.kind === 'start' ? ['restart', 'stop'] : ['adjust', 'restart', 'stop'];
    for (const { module: name, change } of after.modules)
      if (failed.modules.includes(name)) assert.ok(expected.includes(change), `${change} ${name}`);
  });
  fc.assert(property, FULL);
});

planSteps('a plan stops modules in reverse startup order and starts modules in startup order', () => {
  const property = fc.property(anyPlaced, anyPlaced, (from, to) => {
    const ordersOf = (kind: PlanStep['kind'], { manifest }: Placed): (number | undefined)[] =>
      planOf(from, to).steps.flatMap(step => {
        if (!('modules' in step) || step.kind !== kind) return [];
        const orders = step.modules.map(
          name => manifest.modules.find(entry => entry.name === name)?.startupOrder,
        );
        assert.is(new Set(orders).size, 1);
        return [orders[0]];
      });
    const [stops, starts] = [ordersOf('stop', from), ordersOf('start', to)];
    assert.equal(stops, [...new Set(stops)].sort().reverse());
    assert.equal(starts, [...new Set(starts)].sort());
  });
  fc.assert(property, FULL);
});

planSteps.run();
