import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compiled } from './compiled.ts';
import { subjectOf } from './subject.ts';
import { BOILER, VECTORS } from './vectors.ts';

const conditions = suite('routes: conditions');

for (const [rule, condition, verdict] of VECTORS) {
  conditions(`${rule}: ${condition}`, () => {
    const route = compiled(`FROM /* WHERE ${condition} INTO $upstream`);
    assert.is(route.judge(subjectOf(BOILER)), verdict);
  });
}

conditions('a body that is not what it says is undefined', () => {
  const route = compiled('FROM /* WHERE $body.celsius > 60 INTO $upstream');
  assert.is(route.judge(subjectOf({ body: undefined })), 'undefined');
});

conditions('a body of a bare number can be compared', () => {
  const route = compiled('FROM /* WHERE $body > 60 INTO $upstream');
  assert.is(route.judge(subjectOf({ body: 61 })), 'true');
});

conditions('NaN in a body is undefined', () => {
  const route = compiled('FROM /* WHERE is_defined($body.x) INTO $upstream');
  assert.is(route.judge(subjectOf({ body: { x: Number.NaN } })), 'false');
});

conditions('without a condition everything passes', () => {
  assert.is(compiled('FROM /* INTO $upstream').judge(subjectOf({})), 'true');
});

conditions('a joined string beyond its bound is an error, not a heap of memory', () => {
  const route = compiled('FROM /* WHERE length($body.s || $body.s || $body.s) > 0 INTO $upstream');
  assert.is(route.judge(subjectOf({ body: { s: 'x'.repeat(500_000) } })), 'error');
  assert.is(route.judge(subjectOf({ body: { s: 'x' } })), 'true');
});

conditions('a subject that throws makes an error of this message and no more', () => {
  const route = compiled("FROM /* WHERE level = 'hot' AND $contentType != 'x' INTO $upstream");
  const broken = {
    ...subjectOf({}),
    system: (): never => {
      throw new Error('broken');
    },
  };
  assert.is(route.judge(broken), 'error');
  assert.is(route.judge(subjectOf({ properties: { level: 'cold' } })), 'false');
});

conditions('the body is not asked for when the properties decide', () => {
  const asked: string[] = [];
  const subject = {
    ...subjectOf({ properties: { level: 'cold' } }),
    body: () => {
      asked.push('body');
      return {};
    },
  };
  const route = compiled("FROM /* WHERE $body.celsius > 60 AND level = 'hot' INTO $upstream");
  assert.is(route.judge(subject), 'false');
  assert.equal(asked, []);
  assert.is(route.judge({ ...subject, properties: ['level', 'hot'] }), 'undefined');
  assert.equal(asked, ['body']);
  assert.ok(route.needsBody);
});

conditions('a condition that constants decide needs no body', () => {
  assert.not(compiled('FROM /* WHERE false AND $body.on INTO $upstream').needsBody);
  assert.not(compiled("FROM /* WHERE level = 'hot' INTO $upstream").needsBody);
});

conditions.run();
