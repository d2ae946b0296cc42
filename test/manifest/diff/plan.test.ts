import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModuleChange, Placed, PlanStep } from '../../../src/manifest/diff/plan.ts';
import { planOf } from '../../../src/manifest/diff/plan.ts';
import type { UpstreamChange } from '../../../src/manifest/diff/upstream-changes.ts';
import { parseManifest } from '../../../src/manifest/read.ts';

const SHA = (digit: string): string => digit.repeat(64);

function placed(manifest: object, home = '/here'): Placed {
  return { manifest: parseManifest(JSON.stringify({ name: 'a', ...manifest }), 'm.json'), home };
}

/** Manifest with one module that has these fields besides its program. */
function one(fields: object, more: object = {}, home = '/here'): Placed {
  return placed({ modules: { m: { exec: ['./m'], ...fields } }, ...more }, home);
}

const words = ({ steps }: { readonly steps: readonly PlanStep[] }): string[] =>
  steps.map(step => ('modules' in step ? `${step.kind} ${step.modules.join(' ')}` : step.kind));

const plan = suite('manifest: plan');

/** Changes with the expected steps. */
const TABLE: readonly (readonly [what: string, from: Placed, to: Placed, steps: readonly string[]])[] = [
  ['no change', one({}), one({}), []],
  ['an added module', placed({}), one({}), ['prepare', 'access', 'routes', 'start m']],
  ['a removed module', one({}), placed({}), ['stop m', 'access', 'routes']],
  ['a changed program', one({}), one({ exec: ['./n'] }), ['prepare', 'stop m', 'start m']],
  ['a changed environment', one({}), one({ env: { A: '1' } }), ['prepare', 'stop m', 'start m']],
  ['a change of desired properties', one({}), one({ desired: { a: 1 } }), ['prepare', 'stop m', 'start m']],
  ['a change of limits', one({}), one({ limits: { pids: 9 } }), ['adjust m']],
  ['a changed restart policy', one({}), one({ restart: 'never' }), ['adjust m']],
  ['a changed health check', one({}), one({ health: { tcp: 1 } }), ['adjust m']],
  ['a changed startup order', one({}), one({ startupOrder: 3 }), ['adjust m']],
  ['a changed stop grace', one({}), one({ stopGraceSeconds: 3 }), ['adjust m']],
  [
    'a change of limits and terminal',
    one({}),
    one({ limits: { pids: 9 }, tty: true }),
    ['prepare', 'stop m', 'start m'],
  ],
  ['a change of grants', one({}), one({ publish: ['a'] }), ['access']],
  ['an added user', one({}), one({}, { users: { u: { certificate: 'u' } } }), ['access']],
  ['a change of anonymous grants', one({}), one({}, { anonymous: { publish: ['a'] } }), ['access']],
  ['an added route', one({}), one({}, { routes: { r: 'FROM /* INTO topic("a")' } }), ['routes']],
  ['a changed dialect', one({}), one({}, { dialect: 'azure' }), ['routes']],
  ['a changed device name', one({}), one({}, { name: 'b' }), ['routes']],
  [
    'a changed upstream',
    one({}, { upstream: { url: 'mqtt://a' } }),
    one({}, { upstream: { url: 'mqtt://b' } }),
    ['upstreams'],
  ],
  ['an added upstream', one({}), one({}, { upstream: { url: 'mqtt://b' } }), ['routes', 'upstreams']],
  ['a changed TTL', one({}), one({}, { storeAndForward: { ttl: '1h' } }), ['storage']],
  ['a changed deployment time', one({}), one({}, { deployment: { within: '1m' } }), []],
  ['a changed serial', one({}), one({}, { serial: 4 }), []],
  [
    'an added listener',
    one({}),
    one({}, { listeners: [{ mqtt: '127.0.0.1:1883' }, { ws: '127.0.0.1:80' }] }),
    ['listeners'],
  ],
  [
    'a changed listener of modules',
    one({}),
    one({}, { listeners: [{ mqtt: '127.0.0.1:1' }] }),
    ['prepare', 'stop m', 'listeners', 'start m'],
  ],
  [
    'a removed listener for a module with lines',
    one({ io: 'lines' }),
    one({ io: 'lines' }, { listeners: [] }),
    ['listeners'],
  ],
  ['a changed folder', one({}), one({}, {}, '/there'), ['prepare', 'stop m', 'start m']],
  [
    'a changed folder with a Unix socket',
    one({}, { listeners: [{ unix: 's' }] }),
    one({}, { listeners: [{ unix: 's' }] }, '/there'),
    ['prepare', 'stop m', 'listeners', 'start m'],
  ],
  [
    'a changed folder with a bundle',
    one({ bundle: { sha256: SHA('a') } }),
    one({ bundle: { sha256: SHA('a') } }, {}, '/there'),
    [],
  ],
  [
    'a changed bundle',
    one({ bundle: { sha256: SHA('a') } }),
    one({ bundle: { sha256: SHA('b') } }),
    ['prepare', 'stop m', 'start m'],
  ],
  [
    'a changed location of a bundle',
    one({ bundle: { sha256: SHA('a') } }),
    one({ bundle: { sha256: SHA('a'), from: 'x' } }),
    [],
  ],
];

for (const [what, from, to, steps] of TABLE) {
  plan(`${what} needs ${steps.length === 0 ? 'no steps' : `the steps ${steps.join(', ')}`}`, () => {
    assert.equal(words(planOf(from, to)), steps);
  });
}

plan('a plan stops groups of modules in reverse startup order and starts groups in startup order', () => {
  const modules = (exec: string): object =>
    Object.fromEntries(
      Object.entries({ a: 1, b: 2, c: 2, d: 3 }).map(([name, startupOrder]) => [
        name,
        { exec: [exec], startupOrder },
      ]),
    );
  assert.equal(words(planOf(placed({ modules: modules('x') }), placed({ modules: modules('y') }))), [
    'prepare',
    'stop d',
    'stop b c',
    'stop a',
    'start a',
    'start b c',
    'start d',
  ]);
});

plan('a plan lists the changed fields of each module', () => {
  const from = placed({ modules: { gone: { exec: ['x'] }, kept: { exec: ['x'] }, other: { exec: ['x'] } } });
  const to = placed({
    modules: {
      kept: { exec: ['x'], publish: ['a'] },
      other: { exec: ['y'], limits: { pids: 3 } },
      more: { exec: ['x'] },
    },
  });
  assert.equal(planOf(from, to).modules, [
    { module: 'gone', change: 'stop', fields: [] },
    { module: 'kept', change: 'keep', fields: [] },
    { module: 'other', change: 'restart', fields: ['exec', 'limits'] },
    { module: 'more', change: 'start', fields: [] },
  ] satisfies ModuleChange[]);
});

plan('a plan that adds or removes a module reports only the change of this module', () => {
  const both = { gone: { exec: ['x'] }, kept: { exec: ['x'], publish: ['a'] } };
  const from = placed({ modules: both });
  assert.equal(
    planOf(from, placed({ modules: { kept: both.kept, more: { exec: ['x'] } } })).changedParts,
    [],
  );
  const granted = placed({ modules: { ...both, kept: { exec: ['x'], publish: ['b'] } } });
  assert.equal(planOf(from, granted).changedParts, ['access']);
  const routed = placed({ modules: both, routes: { r: "FROM /* INTO topic('t')" } });
  assert.equal(planOf(from, routed).changedParts, ['routes']);
});

plan('a plan lists the changed fields of each upstream', () => {
  const tls = { url: 'mqtts://c', tls: { ca: 'ca.pem' } };
  const from = placed({
    upstreams: {
      gone: { url: 'mqtt://a' },
      kept: { url: 'mqtt://b' },
      other: { url: 'mqtt://b' },
      files: tls,
    },
  });
  const to = placed(
    {
      upstreams: {
        other: { url: 'mqtt://c', window: 5 },
        kept: { url: 'mqtt://b:1883' },
        files: tls,
        more: { url: 'mqtt://a' },
      },
    },
    '/there',
  );
  assert.equal(planOf(from, to).upstreams, [
    { upstream: 'gone', change: 'stop', fields: [] },
    { upstream: 'other', change: 'restart', fields: ['window', 'urls'] },
    { upstream: 'kept', change: 'keep', fields: [] },
    { upstream: 'files', change: 'restart', fields: ['folder of its files (/here, now /there)'] },
    { upstream: 'more', change: 'start', fields: [] },
  ] satisfies UpstreamChange[]);
});

plan('a plan reports no change for an upstream that moves between "upstream" and "upstreams"', () => {
  const upstream = { url: 'mqtt://a' };
  assert.equal(words(planOf(placed({ upstream }), placed({ upstreams: { upstream } }))), []);
});

plan('a plan for a manifest from another folder names the old and the new folder of each module', () => {
  const one = placed({ modules: { m: { exec: ['x'] } } });
  const { modules } = planOf({ ...one, home: '/a' }, { ...one, home: '/b' });
  assert.equal(modules[0]?.fields, ['working folder (/a, now /b)']);
});

plan.run();
