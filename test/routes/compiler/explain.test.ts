import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { explainRoute } from '../../../src/routes/explain.ts';
import { compiled } from '../compiled.ts';
import { subjectOf } from '../subject.ts';

const explaining = suite('routes: explanations');

explaining('an explanation of a route shows each part of the condition with its value', () => {
  const route = compiled(
    "FROM /messages/* WHERE $body.celsius > 50 + 10 AND NOT starts_with(site, 'x') INTO $upstream",
  );
  const subject = subjectOf({ properties: { site: 'north' }, body: { celsius: 61 } });
  const { takes, verdict, values } = explainRoute(route, subject);
  assert.equal([takes, verdict], [true, 'true']);
  assert.equal(
    values.map(({ depth, text, value }) => [depth, text, value]),
    [
      [0, '$body.celsius > 50 + 10 AND NOT starts_with(site, "x")', true],
      [1, '$body.celsius > 50 + 10', true],
      [2, '$body.celsius', 61],
      [2, '50 + 10', 60],
      [1, 'NOT starts_with(site, "x")', true],
      [2, 'starts_with(site, "x")', false],
      [3, 'site', 'north'],
    ],
  );
});

explaining('an explanation of a route shows no value for a missing property', () => {
  const route = compiled('FROM /messages/* WHERE as_number(temp) > 20 INTO $upstream');
  const { verdict, values } = explainRoute(route, subjectOf({}));
  assert.is(verdict, 'undefined');
  assert.equal(
    values.map(({ value }) => value),
    [undefined, undefined, undefined],
  );
});

explaining('an explanation of a route has no values if the source does not match the message', () => {
  const route = compiled('FROM /messages/modules/a/* WHERE true INTO $upstream');
  assert.equal(explainRoute(route, subjectOf({})), { takes: false, verdict: undefined, values: [] });
});

explaining('an explanation of a route without a condition has no condition parts', () => {
  const explained = explainRoute(compiled('FROM /* INTO $upstream'), subjectOf({}));
  assert.equal(explained, { takes: true, verdict: 'true', values: [] });
});

explaining('the explanation of a condition with a part that cannot be computed shows an error', () => {
  const route = compiled('FROM /* WHERE length($body.s || $body.s) > 0 INTO $upstream');
  const { verdict, values } = explainRoute(route, subjectOf({ body: { s: 'x'.repeat(1 << 20) } }));
  assert.is(verdict, 'error');
  assert.is(values[0]?.value, undefined);
});

explaining('an application property $BODY.A replaces the body value $body.a in the azure dialect', () => {
  const route = compiled("FROM /* WHERE $body.a = 'x' INTO $upstream", 'azure');
  const explained = explainRoute(route, subjectOf({ properties: { '$BODY.A': 'x' } }));
  assert.equal(
    explained.values.map(({ text, value }) => [text, value]),
    [
      ['$body.a = "x"', true],
      ['$body.a', 'x'],
    ],
  );
});

explaining.run();
