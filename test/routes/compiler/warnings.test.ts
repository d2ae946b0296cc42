import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Dialect } from '../../../src/routes/dialect.ts';
import { compileRoute } from '../../../src/routes/route.ts';

type Row = readonly [condition: string, column: number, part: string, dialect?: Dialect];

/** Conditions with one warning. The column is relative to the start of the condition. */
const ROWS: readonly Row[] = [
  ['true', 1, 'always true: omit WHERE'],
  ['1 < 2', 1, 'always true'],
  ['false', 1, 'never true: no message matches this route'],
  ['undefined', 1, 'never true'],
  ["level = 'hot' OR true", 1, 'always true'],
  ["false AND level = 'hot'", 1, 'never true'],
  ["level = undefined OR level = 'hot'", 1, 'level = undefined is never true'],
  ["is_null(level) OR level = 'hot'", 1, 'is_null(level) is never true'],
  ["level = 'hot' OR is_number(level)", 18, 'is_number(level) is never true'],
  ["level = 'hot' AND NOT is_array(level)", 19, 'NOT is_array(level) is always true'],
  ["$body.a = 5 OR 'a' = 'b'", 16, '"a" = "b" is never true'],
  ["'text'", 1, 'never true', 'azure'],
  ['null AND true', 1, 'never true', 'azure'],
  ["key1 = 'a' OR is_null(12)", 15, 'is_null(12) is never true', 'azure'],
];

const QUIET: readonly string[] = [
  "level = 'hot'",
  '$body.celsius > 60',
  "($body.limit ?? 60) < 2 * 3 AND level = 'hot'",
  'is_null($body.x)',
  "NOT ($body.a = true) OR substring(level, 1 + 1) = ''",
];

const warnings = suite('routes: warnings');

for (const [condition, column, part, dialect = 'skerry'] of ROWS) {
  warnings(`the ${dialect} dialect warns about the condition ${condition}`, () => {
    const before = 'FROM /messages/* WHERE ';
    const result = compileRoute(`${before}${condition} INTO $upstream`, dialect);
    assert.ok('route' in result);
    const [first, ...more] = result.route.warnings;
    assert.is(more.length, 0);
    assert.ok(first?.sentence.includes(part), first?.sentence);
    assert.is(first?.column, before.length + column);
  });
}

for (const condition of QUIET) {
  warnings(`the compiler does not warn about the condition ${condition}`, () => {
    const result = compileRoute(`FROM /messages/* WHERE ${condition} INTO $upstream`);
    assert.ok('route' in result);
    assert.equal(result.route.warnings, []);
  });
}

warnings('the compiler warns about text after the sink of an azure route', () => {
  const result = compileRoute("FROM /messages/* INTO $upstream WHERE level = 'hot' ", 'azure');
  assert.ok('route' in result);
  assert.is(result.route.tree.condition, undefined);
  const [warning] = result.route.warnings;
  assert.ok(warning?.sentence.includes('is ignored'));
  assert.equal([warning?.start, warning?.end], [32, 51]);
});

warnings.run();
