import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pathTakes } from '../../src/routes/address.ts';
import { compileRoute } from '../../src/routes/route.ts';
import type { RouteTree } from '../../src/routes/tree.ts';
import facts from './facts.json' with { type: 'json' };
import { type Sample, subjectOf } from './subject.ts';

/** What the reference implementation's own tests demand, as far as it holds in our dialect too. */
const reference = suite('routes: facts of the reference');

const samples = new Map<string, Sample>(
  Object.entries(facts.messages).map(([name, message]) => [name, { ...message, body: parsed(message.body) }]),
);

for (const { message, condition, expected } of facts.conditions) {
  reference(`${message}: ${condition} is ${expected}`, () => {
    const sample = samples.get(message);
    assert.ok(sample, `no message ${message}`);
    const result = compileRoute(`FROM /* WHERE ${condition} INTO $upstream`);
    assert.is('route' in result ? result.route.judge(subjectOf(sample)) : 'error', expected);
  });
}

for (const { route, expected } of facts.routes) {
  reference(`${route} is ${expected}`, () => {
    const result = compileRoute(route);
    assert.is('route' in result ? endsOf(result.route.tree) : 'error', expected);
  });
}

for (const { pattern, source, expected } of facts.sources) {
  reference(`${pattern} ${expected ? 'takes' : 'does not take'} ${source}`, () => {
    const result = compileRoute(`FROM ${pattern} INTO $upstream`);
    assert.ok('route' in result && result.route.tree.source.kind === 'path');
    assert.is(pathTakes(result.route.tree.source.segments, source), expected);
  });
}

for (const { path, expected } of facts.paths) {
  reference(`$body.${path} is ${expected ? 'a path' : 'refused'}`, () => {
    const result = compileRoute(`FROM /* WHERE is_defined($body.${path}) INTO $upstream`);
    assert.is('route' in result, expected);
  });
}

/** The body of a fact's message; undefined if it is not JSON, as the hub hands it over. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function endsOf({ source, sink }: RouteTree): string {
  const from = source.kind === 'path' ? `/${source.segments.join('/')}` : source.filter;
  const into = sink.kind === 'input' ? `/modules/${sink.module}/inputs/${sink.input}` : '$upstream';
  return `FROM ${from} INTO ${into}`;
}

reference.run();
