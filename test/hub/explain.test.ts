import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { explainRoutes } from '../../src/hub/control/route-control.ts';
import { sampleSubject } from '../../src/hub/control/sample-message.ts';
import { compileRoute } from '../../src/routes/route.ts';

const explain = suite('hub: explanation of routes');

explain('a route is explained although a value of the body is nested too deeply to be shown', () => {
  const compiled = compileRoute(
    'FROM /messages/* WHERE $body.deep = 1 OR $body.flat = 1 INTO $upstream',
    'skerry',
  );
  assert.ok('route' in compiled);
  const deep = '['.repeat(20_000) + ']'.repeat(20_000);
  const subject = sampleSubject(`{"body":{"deep":${deep},"flat":1}}`);
  const [route] = explainRoutes(
    [{ name: 'one', route: compiled.route, priority: 9, ttl: undefined }],
    subject,
    '',
  );
  const values = Object.fromEntries(route?.values.map(({ text, value }) => [text, value]) ?? []);
  assert.is(route?.verdict, 'true');
  assert.is(values['$body.deep'], 'nested too deeply to be shown');
  assert.is(values['$body.flat'], '1');
});

explain.run();
