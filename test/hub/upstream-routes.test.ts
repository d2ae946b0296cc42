import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { routingOf } from '../../src/hub/routing/compiled-routes.ts';
import { planRoutes } from '../../src/hub/routing/route-plan.ts';
import { warningsOf } from '../../src/hub/routing/route-warnings.ts';
import { parseManifest } from '../../src/manifest/read.ts';
import { printRoute, printSink } from '../../src/routes/printer.ts';
import { subjectOf } from '../routes/subject.ts';

const routes = suite('hub: routes of several upstreams');

function planned(names: readonly string[], route: string, more: object = {}): string {
  const upstreams = Object.fromEntries(names.map(name => [name, { url: `mqtt://${name}` }]));
  const text = JSON.stringify({ name: 'edge', upstreams, routes: { r: route }, ...more });
  const { routes: taken, refused } = planRoutes(parseManifest(text, 'm.json'));
  return [...taken.map(({ route: { tree } }) => printRoute(tree)), ...refused.map(one => one.reason)].join();
}

/** Upstreams, a route, and the resolved route or the reason of its refusal. */
const TABLE: readonly (readonly [names: readonly string[], route: string, expected: string])[] = [
  [['upstream'], 'FROM /* INTO $upstream', 'FROM /* INTO $upstream/upstream'],
  [['cloud'], 'FROM /* INTO $upstream', 'FROM /* INTO $upstream/cloud'],
  [['cloud', 'upstream'], 'FROM /* INTO $upstream', 'FROM /* INTO $upstream/upstream'],
  [['cloud', 'site'], 'FROM /* INTO $upstream/site', 'FROM /* INTO $upstream/site'],
  [['cloud', 'site'], 'FROM $upstream/cloud INTO $upstream/site', 'FROM $upstream/cloud INTO $upstream/site'],
  [['cloud'], 'FROM $upstream("a") INTO topic("t")', 'FROM $upstream/cloud("a") INTO topic("t")'],
  [
    ['cloud', 'site'],
    'FROM /* INTO $upstream',
    'routes.r goes INTO $upstream, but the manifest has several upstreams: write $upstream/cloud or $upstream/site.',
  ],
  [
    ['cloud', 'site'],
    'FROM $upstream INTO topic("t")',
    'routes.r comes FROM $upstream, but the manifest has several upstreams: write $upstream/cloud or $upstream/site.',
  ],
  [
    ['cloud', 'upstream'],
    'FROM /* INTO $upstream/clod',
    'routes.r goes INTO $upstream/clod, which the manifest does not have: did you mean "cloud"?',
  ],
  [
    ['cloud', 'upstream'],
    'FROM $upstream/x INTO topic("t")',
    'routes.r comes FROM $upstream/x, which the manifest does not have: write $upstream/cloud or $upstream.',
  ],
  [
    [],
    'FROM /* INTO $upstream/cloud',
    'routes.r goes INTO $upstream/cloud, but the manifest has no "upstream": add its url.',
  ],
  [
    ['cloud'],
    'FROM $upstream INTO $upstream/cloud',
    'routes.r is invalid: messages FROM an upstream cannot go back INTO the same one, because that is a loop; let a module answer.',
  ],
];

for (const [names, route, expected] of TABLE) {
  routes(
    `the route ${route} with ${names.join(' and ') || 'no upstream'} ${expected.startsWith('routes.') ? 'is refused' : `means ${expected}`}`,
    () => {
      assert.is(planned(names, route), expected);
    },
  );
}

routes(
  'two routes with different names for the same upstream send a message to this upstream only once',
  () => {
    const upstreams = { upstream: { url: 'mqtt://a' }, cloud: { url: 'mqtt://b' } };
    const wanted = {
      one: 'FROM /* INTO $upstream',
      same: { route: 'FROM /messages/* INTO $upstream/upstream', priority: 2 },
      other: 'FROM /* INTO $upstream/cloud',
    };
    const manifest = parseManifest(JSON.stringify({ name: 'edge', upstreams, routes: wanted }), 'm.json');
    const taken: string[] = [];
    routingOf(manifest).dispatcher.dispatch(subjectOf({ source: '/messages' }), (sink, priority) =>
      taken.push(`${printSink(sink)} ${priority}`),
    );
    assert.equal(taken, ['$upstream/upstream 2', '$upstream/cloud 9']);
  },
);

routes('an azure route INTO $upstream/NAME uses the only upstream, whatever the NAME', () => {
  const dialect = { dialect: 'azure' };
  const route = 'FROM /messages/* INTO $upstream/cloud';
  assert.is(planned(['cloud', 'upstream'], route, dialect), 'FROM /messages/* INTO $upstream/upstream');
  assert.match(planned(['cloud', 'site'], route, dialect), 'but the manifest has several upstreams');
});

routes(
  'a warning names each upstream with filters in "down" but no route, or with a route but no filters',
  () => {
    const upstreams = {
      cloud: { url: 'mqtt://a', down: ['orders/#'] },
      site: { url: 'mqtt://b', down: ['orders/#'] },
      spare: { url: 'mqtt://c' },
    };
    const taking = {
      one: 'FROM $upstream/site INTO topic("t")',
      other: 'FROM $upstream/spare("a") INTO topic("t")',
    };
    const manifest = parseManifest(JSON.stringify({ name: 'edge', upstreams, routes: taking }), 'm.json');
    assert.equal(warningsOf(manifest, planRoutes(manifest).routes), [
      'Messages received by "upstreams.cloud.down" are acknowledged and discarded, because no route comes FROM $upstream/cloud: add a route.',
      'routes.other comes FROM $upstream/spare, but "upstreams.spare.down" has no topic filter: the route matches no message.',
    ]);
  },
);

routes.run();
