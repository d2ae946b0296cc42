import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModulesHealth } from '../../src/deployment/module-health.ts';
import { modulesHealth } from '../../src/deployment/module-health.ts';
import type { ModuleState, ModuleStatus } from '../../src/supervisor/spec.ts';

function status(name: string, state: ModuleState, more: Partial<ModuleStatus> = {}): ModuleStatus {
  return {
    name,
    state,
    pid: undefined,
    uptimeMs: undefined,
    restarts: 0,
    lastExit: undefined,
    lastLines: [],
    late: false,
    cutLines: 0,
    printedLines: undefined,
    refusedLines: 0,
    lostLogLines: 0,
    usage: {},
    notEnforced: [],
    ...more,
  };
}

const HEALTHY: ModulesHealth = { kind: 'healthy', restarts: 0 };
const unhealthy = (reason: string): ModulesHealth => ({ kind: 'unhealthy', reason });
const pending = (waitsFor: string): ModulesHealth => ({ kind: 'pending', waitsFor });

const health = suite('deployments: health of modules');

/** Status of a module, true if it has a health check, and the expected health. */
const ONE: readonly (readonly [ModuleStatus, boolean, ModulesHealth])[] = [
  [status('m', 'running'), false, HEALTHY],
  [status('m', 'running'), true, pending('module "m" is not ready')],
  [status('m', 'ready'), true, HEALTHY],
  [status('m', 'ended'), false, HEALTHY],
  [status('m', 'starting'), false, pending('module "m" is starting')],
  [status('m', 'waiting', { restarts: 2 }), false, pending('module "m" is waiting')],
  [status('m', 'stopped'), false, pending('module "m" is stopped')],
  [status('m', 'failing'), true, unhealthy('Module "m" fails its checks.')],
  [
    status('m', 'failing', { checkFailure: 'exit 7: no database.', lastLines: ['retrying'] }),
    true,
    unhealthy('Module "m" fails its checks: exit 7: no database (stderr: retrying).'),
  ],
  [
    status('m', 'running', {
      checkFailure: 'port 80 takes no connection: connection refused (ECONNREFUSED)',
    }),
    true,
    pending('module "m" is not ready: port 80 takes no connection: connection refused (ECONNREFUSED)'),
  ],
  [status('m', 'failed', { lastExit: 'exit 3' }), false, unhealthy('Module "m" has failed: exit 3.')],
  [
    status('m', 'failed', { lastExit: 'It is gone.' }),
    false,
    unhealthy('Module "m" has failed: It is gone.'),
  ],
  [
    status('m', 'failed', { lastExit: 'exit 1', lastLines: ['Traceback', "KeyError: 'x'"] }),
    false,
    unhealthy(`Module "m" has failed: exit 1 (stderr: Traceback / KeyError: 'x').`),
  ],
  [status('m', 'running', { restarts: 2 }), false, { kind: 'healthy', restarts: 2 }],
  [
    status('m', 'running', { restarts: 3, lastExit: 'SIGSEGV' }),
    false,
    unhealthy('Module "m" has ended 3 times, the last time by SIGSEGV.'),
  ],
];

for (const [one, checked, expected] of ONE) {
  health(
    `a module ${checked ? 'with' : 'without'} a health check in state ${one.state} with ${one.restarts} restarts is ${expected.kind}`,
    () => {
      assert.equal(modulesHealth([one], new Map([['m', checked]]), new Map()), expected);
    },
  );
}

health('the health of a module ignores restarts before the deployment', () => {
  const statuses = [status('m', 'running', { restarts: 7 })];
  const watched = new Map([['m', false]]);
  assert.equal(modulesHealth(statuses, watched, new Map([['m', 6]])), { kind: 'healthy', restarts: 1 });
  assert.is(modulesHealth(statuses, watched, new Map([['m', 4]])).kind, 'unhealthy');
});

health('a deployment with one unhealthy and one pending module is unhealthy', () => {
  const statuses = [status('a', 'starting'), status('b', 'failed'), status('leaves', 'stopping')];
  const watched = new Map([
    ['a', false],
    ['b', false],
  ]);
  assert.is(modulesHealth(statuses, watched, new Map()).kind, 'unhealthy');
  assert.equal(
    modulesHealth(statuses, new Map([['a', false]]), new Map()),
    pending('module "a" is starting'),
  );
  assert.equal(modulesHealth(statuses, new Map(), new Map()), HEALTHY);
});

health('the health of a module without a status is pending', () => {
  assert.equal(modulesHealth([], new Map([['m', false]]), new Map()), pending('module "m" is not started'));
});

health.run();
