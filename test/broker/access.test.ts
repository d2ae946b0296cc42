import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mayPublish, maySubscribe, outputOf } from '../../src/broker/access.ts';
import type { Identity } from '../../src/broker/types.ts';

const CLIENT: Identity = { kind: 'client', user: undefined };
const MODULE: Identity = { kind: 'module', module: 'm' };

/** Who may publish where. */
const PUBLISH: readonly (readonly [topic: string, client: boolean, module: boolean])[] = [
  ['sensors/1', true, true],
  ['modulesque/m/outputs/o', true, true],
  ['/modules/m/outputs/o', true, true],
  ['modules/m/outputs/o', false, true],
  ['modules/m/outputs/', false, false],
  ['modules/m/outputs/o/p', false, false],
  ['modules/m/outputs', false, false],
  ['modules/m/inputs/i', false, false],
  ['modules/other/outputs/o', false, false],
  ['modules/M/outputs/o', false, false],
  ['modules/m', false, false],
  ['modules/', false, false],
  ['modules', false, false],
  ['$SYS/broker', false, false],
  ['$share/g/a', false, false],
  ['$upstream/a', false, false],
  ['$other/a', true, false],
];

/** Who may listen to what. */
const SUBSCRIBE: readonly (readonly [filter: string, client: boolean, module: boolean])[] = [
  ['sensors/#', true, true],
  ['sensors/+/modules', true, true],
  ['modules/m/inputs/i', true, true],
  ['modules/m/inputs/+', true, true],
  ['modules/m/inputs/#', true, true],
  ['modules/m/inputs', true, true],
  ['modules/m/outputs/o', true, false],
  ['modules/m/#', true, false],
  ['modules/mm/inputs/i', true, false],
  ['modules/other/inputs/i', true, false],
  ['modules/+/inputs/i', true, false],
  ['modules/#', true, false],
  ['modules', true, false],
  ['+/m/inputs/i', true, false],
  ['+', true, false],
  ['#', true, false],
  ['$SYS/#', true, false],
];

const access = suite('broker: access');

access('where a client and where module "m" may publish', () => {
  for (const [topic, client, module] of PUBLISH)
    assert.equal([mayPublish(CLIENT, topic), mayPublish(MODULE, topic)], [client, module], topic);
});

access('what a client and what module "m" may listen to', () => {
  for (const [filter, client, module] of SUBSCRIBE)
    assert.equal([maySubscribe(CLIENT, filter), maySubscribe(MODULE, filter)], [client, module], filter);
});

access('the output that a topic speaks of', () => {
  assert.is(outputOf('m', 'modules/m/outputs/temp'), 'temp');
  assert.is(outputOf('m', 'modules/n/outputs/temp'), undefined);
  assert.is(outputOf('m', 'modules/m/inputs/temp'), undefined);
});

access.run();
