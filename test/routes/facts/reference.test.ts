import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Dialect } from '../../../src/routes/dialect.ts';
import { compileRoute } from '../../../src/routes/route.ts';
import { sourceMatches } from '../../../src/routes/sources.ts';
import { parseRoute } from '../../../src/routes/syntax/parser.ts';
import { subjectOf } from '../subject.ts';
import { BLANK, SKERRY_DIFFERS, UNDECIDED } from './differences.ts';
import { CONDITIONS, SAMPLES, STATEMENTS, type Statement } from './facts.ts';

/**
 * Tests of the reference implementation. All pass in `azure`. The differences of `skerry` are listed.
 */
const reference = suite('routes: tests of Azure IoT Edge');

for (const { message, condition, expected, source } of CONDITIONS) {
  if ((expected === 'error' && UNDECIDED.has(condition)) || BLANK.has(condition)) continue;
  const name = `${condition} for ${message}`;
  reference(`the azure dialect evaluates ${name} to ${expected}`, () => {
    assert.is(verdictOf('azure', condition, message, source), expected);
  });
  const differs = SKERRY_DIFFERS[condition];
  reference(`the skerry dialect evaluates ${name} to ${differs?.is ?? expected}`, () => {
    assert.is(verdictOf('skerry', condition, message, source), differs?.is ?? expected);
  });
}

reference('each listed difference of the skerry dialect gives another result than Azure IoT Edge', () => {
  for (const [condition, { is }] of Object.entries(SKERRY_DIFFERS)) {
    const facts = [...CONDITIONS.map(fact => ({ text: fact.condition, expected: fact.expected }))];
    const fact = facts.find(({ text }) => text === condition);
    assert.ok(fact && fact.expected !== is, condition);
  }
});

for (const statement of STATEMENTS) {
  reference(`the azure dialect gives the expected result for ${JSON.stringify(statement)}`, () => {
    if ('route' in statement) assert.equal(endsOf(statement.route), statement.expected);
    else assert.is(holds(statement), statement.expected);
  });
}

function verdictOf(dialect: Dialect, condition: string, message: string, source: string): string {
  const sample = SAMPLES.get(message);
  assert.ok(sample, `no message ${message}`);
  const result = compileRoute(`FROM ${source} WHERE ${condition} INTO $upstream`, dialect);
  return 'route' in result ? result.route.evaluate(subjectOf(sample)) : 'error';
}

/** Returns the source and sink of a route. The types of its condition are not checked. */
function endsOf(text: string): unknown {
  try {
    const { source, sink } = parseRoute(text, 'azure').tree;
    const from = source.kind === 'path' ? `/${source.segments.join('/')}` : source.filter;
    return { source: from, sink: sink.kind === 'input' ? `${sink.module} ${sink.input}` : sink.kind };
  } catch {
    return 'error';
  }
}

function holds(statement: Exclude<Statement, { readonly route: string }>): boolean {
  if ('path' in statement) {
    const condition = statement.twinChange
      ? `FROM /twinChangeNotifications WHERE twin_change_includes(${statement.path})`
      : `FROM /messages/* WHERE is_defined($body.${statement.path})`;
    return 'route' in compileRoute(`${condition} INTO $upstream`, 'azure');
  }
  const result = compileRoute(`FROM ${statement.pattern} INTO $upstream`, 'azure');
  assert.ok('route' in result, statement.pattern);
  return sourceMatches(result.route.tree.source, statement.source, 'a/b');
}

reference.run();
