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

/** Routes and their warning. Undefined if no warning is expected. */
const ROWS: readonly (readonly [string, Readonly<Record<string, string>>, RegExp | undefined])[] = [
  [
    'a chain of three modules',
    {
      one: `FROM /messages/modules/a/* ${into('b')}`,
      two: `FROM /messages/modules/b/outputs/o ${into('c')}`,
    },
    undefined,
  ],
  [
    'a cycle of three modules',
    {
      one: `FROM /messages/modules/a/* ${into('b')}`,
      two: `FROM /messages/modules/b/outputs/o ${into('c')}`,
      three: `FROM /messages/modules/c/* ${into('a')}`,
    },
    /^Messages of module a may return to it in a loop: a -> b \(routes\.one\) -> c \(routes\.two\) -> a \(routes\.three\)\.$/,
  ],
  [
    'a route of a module into itself',
    { own: `FROM /messages/modules/b/* ${into('b')}` },
    /b -> b \(routes\.own\)/,
  ],
  [
    'a route of all messages into a module',
    { all: `FROM /messages/* ${into('c')}` },
    /c -> c \(routes\.all\)/,
  ],
  [
    'a route of the topics of a module into itself',
    { t: `FROM topic("modules/a/outputs/#") ${into('a')}` },
    /a -> a \(routes\.t\)/,
  ],
  ['a route of other topics into a module', { t: `FROM topic("sensors/#") ${into('a')}` }, undefined],
  [
    'a constant condition',
    { c: 'FROM /messages/* WHERE 1 < 2 INTO topic("t")' },
    /^route routes\.c, line 1, column 24: .*always true/,
  ],
];

for (const [what, routes, expected] of ROWS) {
  warnings(`${what} causes ${expected === undefined ? 'no warning' : 'one warning'}`, () => {
    const found = warningsFor(routes);
    assert.is(found.length, expected === undefined ? 0 : 1, found.join('\n'));
    if (expected !== undefined) assert.match(found[0] ?? '', expected);
  });
}

/** Filters of "down", true if a route receives from upstream, and the expected warning. */
const DOWN: readonly (readonly [readonly string[], boolean, RegExp | undefined])[] = [
  [[], false, undefined],
  [['commands/#'], true, undefined],
  [
    [],
    true,
    /^routes\.down comes FROM \$upstream, but "upstream\.down" has no topic filter: the route matches no message\.$/,
  ],
  [['commands/#'], false, /^Messages received by "upstream\.down" are acknowledged and discarded, /],
];

for (const [down, hasRoute, expected] of DOWN) {
  warnings(
    `${down.length} filters in "down" with ${hasRoute ? 'a route' : 'no route'} FROM $upstream cause ${expected === undefined ? 'no warning' : 'one warning'}`,
    () => {
      const routes = hasRoute ? { down: `FROM $upstream ${into('a')}` } : {};
      const found = warningsFor(routes, 'skerry', { url: 'mqtt://a', down });
      assert.is(found.length, expected === undefined ? 0 : 1, found.join('\n'));
      if (expected !== undefined) assert.match(found[0] ?? '', expected);
    },
  );
}

warnings('the azure dialect ignores a condition behind the sink with a warning', () => {
  const [warning] = warningsFor({ r: 'FROM /messages/* INTO topic("t") WHERE x' }, 'azure');
  assert.is(warning, undefined, 'topic is no sink there');
  const [ignored] = warningsFor({ r: `FROM /messages/modules/a/* ${into('b')} WHERE x` }, 'azure');
  assert.match(ignored ?? '', /is ignored/);
});

warnings.run();
