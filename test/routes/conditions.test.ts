import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Dialect } from '../../src/routes/dialect.ts';
import { compileRoute } from '../../src/routes/route.ts';
import type { ConditionResult } from '../../src/routes/subject.ts';
import { compiled } from './compiled.ts';
import { type Sample, subjectOf } from './subject.ts';
import { AZURE_VECTORS, PUMP } from './vectors/azure.ts';
import { BOILER, MESSAGES } from './vectors/messages.ts';
import { VECTORS } from './vectors/skerry.ts';

const conditions = suite('routes: conditions');

for (const [rule, condition, verdict] of VECTORS) {
  conditions(`the condition ${condition} evaluates to ${verdict} (${rule})`, () =>
    assert.is(verdictOf(condition, BOILER), verdict),
  );
}

for (const [rule, condition, verdict, sample] of MESSAGES) {
  conditions(`the condition ${condition} evaluates to ${verdict} (${rule})`, () =>
    assert.is(verdictOf(condition, sample), verdict),
  );
}

for (const [rule, condition, verdict] of AZURE_VECTORS) {
  conditions(`the azure condition ${condition} evaluates to ${verdict} (${rule})`, () =>
    assert.is(verdictOf(condition, PUMP, 'azure'), verdict),
  );
}

conditions('the condition tests contain more than 400 distinct conditions', () => {
  const texts = [VECTORS, MESSAGES, AZURE_VECTORS].map(table => table.map(([, condition]) => condition));
  for (const table of texts) assert.is(new Set(table).size, table.length);
  assert.ok(texts.flat().length > 400, `${texts.flat().length}`);
});

conditions('a condition uses the last of several properties with the same name', () => {
  const properties = ['a', '1', 'b', '9', 'a', '2', 'A', '3'];
  const route = compiled("FROM /* WHERE a = '2' INTO $upstream");
  assert.is(route.evaluate({ ...subjectOf({}), properties }), 'true');
  const azure = compiled("FROM /* WHERE a = '3' INTO $upstream", 'azure');
  assert.is(azure.evaluate({ ...subjectOf({}), properties }), 'true');
});

conditions('a body that is invalid for its content type evaluates to undefined', () => {
  assert.is(verdictOf('$body.celsius > 60', { body: undefined }), 'undefined');
});

conditions('a route without a condition matches every message from its source', () => {
  assert.is(compiled('FROM /* INTO $upstream').evaluate(subjectOf({})), 'true');
});

conditions('a condition that joins strings beyond the maximum length evaluates to error', () => {
  const route = compiled('FROM /* WHERE length($body.s || $body.s || $body.s) > 0 INTO $upstream');
  assert.is(route.evaluate(subjectOf({ body: { s: 'x'.repeat(500_000) } })), 'error');
  assert.is(route.evaluate(subjectOf({ body: { s: 'x' } })), 'true');
});

conditions(
  'an exception in a condition evaluates to error only for the message that causes the exception',
  () => {
    const route = compiled("FROM /* WHERE level = 'hot' AND $contentType != 'x' INTO $upstream");
    const broken = {
      ...subjectOf({}),
      system: (): never => {
        throw new Error('broken');
      },
    };
    assert.is(route.evaluate(broken), 'error');
    assert.is(route.evaluate(subjectOf({ properties: { level: 'cold' } })), 'false');
  },
);

conditions('the body of a message is not parsed if properties alone decide the condition', () => {
  const reads: string[] = [];
  const subject = {
    ...subjectOf({ properties: { level: 'cold' } }),
    body: () => {
      reads.push('body');
      return {};
    },
  };
  const route = compiled("FROM /* WHERE $body.celsius > 60 AND level = 'hot' INTO $upstream");
  assert.is(route.evaluate(subject), 'false');
  assert.equal(reads, []);
  assert.is(route.evaluate({ ...subject, properties: ['level', 'hot'] }), 'undefined');
  assert.equal(reads, ['body']);
  assert.ok(route.needsBody);
});

conditions('a constant condition never parses the body of a message', () => {
  assert.not(compiled('FROM /* WHERE false AND $body.on INTO $upstream').needsBody);
  assert.not(compiled("FROM /* WHERE level = 'hot' INTO $upstream").needsBody);
});

function verdictOf(condition: string, sample: Sample, dialect: Dialect = 'skerry'): ConditionResult {
  const result = compileRoute(`FROM /* WHERE ${condition} INTO $upstream`, dialect);
  return 'route' in result ? result.route.evaluate(subjectOf(sample)) : 'error';
}

conditions.run();
