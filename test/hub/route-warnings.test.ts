import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { planRoutes } from '../../src/hub/routing/route-plan.ts';
import { warningsOf } from '../../src/hub/routing/route-warnings.ts';
import { parseManifest } from '../../src/manifest/read.ts';

const warnings = suite('hub: warnings of routes');

function warningsFor(
  routes: Readonly<Record<string, string>>,
  dialect = 'skerry',
  upstream?: object,
): string[] {
  const modules = Object.fromEntries(['a', 'b', 'c'].map(name => [name, { exec: ['x'] }]));
  const manifest = parseManifest(JSON.stringify({ name: 'm', dialect, modules, routes, upstream }), 'm.json');
  return warningsOf(manifest, planRoutes(manifest).routes);
}

const into = (module: string): string => `INTO BrokeredEndpoint("/modules/${module}/inputs/i")`;

/** Routes and their warning. Undefined without a warning. */
const ROWS: readonly (readonly [string, Readonly<Record<string, string>>, RegExp | undefined])[] = [
  [
    'a way through three modules',
    {
      one: `FROM /messages/modules/a/* ${into('b')}`,
      two: `FROM /messages/modules/b/outputs/o ${into('c')}`,
    },
    undefined,
  ],
  [
    'a cycle of three',
    {
      one: `FROM /messages/modules/a/* ${into('b')}`,
      two: `FROM /messages/modules/b/outputs/o ${into('c')}`,
      three: `FROM /messages/modules/c/* ${into('a')}`,
    },
    /^Messages of module a may come back .*: a -> b \(routes\.one\) -> c \(routes\.two\) -> a \(routes\.three\)\.$/,
  ],
  ['a module into itself', { own: `FROM /messages/modules/b/* ${into('b')}` }, /b -> b \(routes\.own\)/],
  ['everything into a module', { all: `FROM /messages/* ${into('c')}` }, /c -> c \(routes\.all\)/],
  ['topics of a module', { t: `FROM topic("modules/a/outputs/#") ${into('a')}` }, /a -> a \(routes\.t\)/],
  ['other topics', { t: `FROM topic("sensors/#") ${into('a')}` }, undefined],
  [
    'a condition',
    { c: 'FROM /messages/* WHERE 1 < 2 INTO topic("t")' },
    /^route routes\.c, line 1, column 24: .*always true/,
  ],
];

for (const [what, routes, expected] of ROWS) {
  warnings(what, () => {
    const found = warningsFor(routes);
    assert.is(found.length, expected === undefined ? 0 : 1, found.join('\n'));
    if (expected !== undefined) assert.match(found[0] ?? '', expected);
  });
}

/** Topics that come down, whether a route takes them, and what the one warning must say. */
const DOWN: readonly (readonly [readonly string[], boolean, RegExp | undefined])[] = [
  [[], false, undefined],
  [['commands/#'], true, undefined],
  [[], true, /^routes\.down comes FROM \$upstream, but "upstream\.down" names no topics: nothing comes\.$/],
  [['commands/#'], false, /^What "upstream\.down" brings here is acknowledged and forgotten: /],
];

for (const [down, taken, expected] of DOWN) {
  warnings(`${down.length} topics that come down, ${taken ? 'a route' : 'no route'} FROM $upstream`, () => {
    const routes = taken ? { down: `FROM $upstream ${into('a')}` } : {};
    const found = warningsFor(routes, 'skerry', { url: 'mqtt://a', down });
    assert.is(found.length, expected === undefined ? 0 : 1, found.join('\n'));
    if (expected !== undefined) assert.match(found[0] ?? '', expected);
  });
}

warnings('azure ignores a condition behind the sink, and says so', () => {
  const [warning] = warningsFor({ r: 'FROM /messages/* INTO topic("t") WHERE x' }, 'azure');
  assert.is(warning, undefined, 'topic is no sink there');
  const [ignored] = warningsFor({ r: `FROM /messages/modules/a/* ${into('b')} WHERE x` }, 'azure');
  assert.match(ignored ?? '', /is ignored/);
});

warnings.run();
