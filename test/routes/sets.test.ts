import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileRoutes } from '../../src/routes/code/set.ts';
import { createDispatcher, type RouteSetEntry } from '../../src/routes/dispatcher.ts';
import { MAX_FUSED_PARTS } from '../../src/routes/limits.ts';
import { printExpression, printSink } from '../../src/routes/printer.ts';
import type { ConditionResult, Subject } from '../../src/routes/subject.ts';
import { compiled } from './compiled.ts';
import { conditions, samples } from './model/arbitraries.ts';
import { subjectOf } from './subject.ts';

const SETS = 300;

/** Routes of a manifest are compiled together, so that common parts are evaluated once. */
const sets = suite('routes: sets');

sets('a set of routes gives the same results as its routes evaluated one by one', () => {
  const member = fc.record({
    condition: conditions,
    priority: fc.integer({ min: 0, max: 9 }),
    sink: fc.constantFrom('$upstream', 'topic("a")', 'topic("b")'),
  });
  const property = fc.property(
    fc.array(member, { minLength: 1, maxLength: 20 }),
    fc.array(samples, { minLength: 4, maxLength: 4 }),
    (members, messages) => {
      const entries = members.map(({ condition, priority, sink }, at) => {
        const text = `FROM /* WHERE ${printExpression(condition)} INTO ${sink}`;
        return { name: `r${at}`, route: compiled(text), priority, ttl: at };
      });
      const dispatcher = createDispatcher(entries);
      const counts = Object.fromEntries(entries.map(({ name }) => [name, noCounts()]));
      for (const message of messages) {
        const subject = subjectOf(message);
        const sinks: string[] = [];
        dispatcher.dispatch(subject, (sink, priority, ttl) =>
          sinks.push(`${printSink(sink)} ${priority} ${ttl}`),
        );
        assert.equal(sinks.toSorted(), oneByOne(entries, subject, counts));
      }
      assert.equal(dispatcher.counts(), counts);
    },
  );
  fc.assert(property, { numRuns: SETS });
});

sets('common subexpressions of several routes are evaluated once per message', () => {
  const reads: string[] = [];
  const dispatcher = setOf([
    "$contentType = 'x'",
    "$contentType = 'x' AND $body.a > 1",
    '$body.a > 1 AND $body.b > 2',
    "lower($contentType) = 'x' OR $body.a > 1",
  ]);
  dispatcher.dispatch(watched(reads, { contentType: 'x' }, { a: 2, b: 3 }), () => {});
  assert.equal(reads, ['system contentType', 'body']);
  assert.equal(
    Object.values(dispatcher.counts()).map(({ matched }) => matched),
    [1, 1, 1, 1],
  );
});

sets('the body of a message is not parsed if properties alone decide every route of a set', () => {
  const reads: string[] = [];
  const dispatcher = setOf(["$contentType = 'x' AND $body.a > 1", "$body.b > 1 AND $contentType = 'y'"]);
  dispatcher.dispatch(watched(reads, { contentType: 'z' }, { a: 2, b: 3 }), () => {});
  assert.equal(reads, ['system contentType']);
});

sets('a route whose source does not match reads no value of the message', () => {
  const reads: string[] = [];
  const text = "FROM /messages/modules/other/* WHERE $contentType = 'x' INTO $upstream";
  const dispatcher = createDispatcher([{ name: 'r', route: compiled(text), priority: 9, ttl: undefined }]);
  dispatcher.dispatch(watched(reads, {}, {}), () => {});
  assert.equal(reads, []);
});

sets('a set of routes that is too large for one function is compiled to several functions', () => {
  const part = `as_number(n) > 1 AND `.repeat(100);
  const conditionsOf = Array.from({ length: 2 * (MAX_FUSED_PARTS / 100) }, (_, at) => `${part}n != '${at}'`);
  const dispatcher = setOf(conditionsOf);
  dispatcher.dispatch(subjectOf({ properties: { n: '7' } }), () => {});
  const counts = Object.values(dispatcher.counts());
  assert.is(counts.filter(({ matched }) => matched === 1).length, conditionsOf.length - 1);
  assert.is(dispatcher.counts()['r7']?.unmatched, 1);
});

sets('an exception in the condition of one route does not affect the other routes of the set', () => {
  const dispatcher = setOf(["level = 'hot'", 'length($body.s || $body.s) > 1', '$body.n = 1']);
  dispatcher.dispatch(
    subjectOf({ properties: { level: 'hot' }, body: { s: 'x'.repeat(1 << 20), n: 1 } }),
    () => {},
  );
  const one = { matched: 1, unmatched: 0, undefined: 0, errors: 0 };
  assert.equal(dispatcher.counts(), { r0: one, r1: { ...one, matched: 0, errors: 1 }, r2: one });
});

sets('a set can contain routes of both dialects', () => {
  const entries = (['skerry', 'azure'] as const).map(dialect => ({
    name: dialect,
    route: compiled('FROM /* WHERE $body.missing != 5 INTO $upstream', dialect),
    priority: 9,
    ttl: undefined,
  }));
  const dispatcher = createDispatcher(entries);
  const system = { contentType: 'application/json', contentEncoding: 'utf-8' };
  dispatcher.dispatch(subjectOf({ system, body: {} }), () => {});
  assert.is(dispatcher.counts()['skerry']?.undefined, 1);
  assert.is(dispatcher.counts()['azure']?.matched, 1);
});

sets('the generated code of a set of routes contains no text of the manifest', () => {
  const mark = 'zq_mark';
  const text = `{${mark}} = "${mark}" AND $body.${mark}[12345] = 67890 AND $body["${mark}'] + evil('"] != "\\u0022);${mark}"`;
  const route = compiled(`FROM /* WHERE ${text} INTO topic("${mark}")`);
  const counts = { matched: 0, unmatched: 0, undefined: 0, errors: 0 };
  const code = String(compileRoutes([[{ route, priority: 9, ttl: 4242, counts }]]));
  assert.ok(code.includes('=>'), code);
  for (const part of [mark, '12345', '67890', '4242', 'evil']) assert.not(code.includes(part), part);
});

function setOf(texts: readonly string[]): ReturnType<typeof createDispatcher> {
  const entries = texts.map((text, at) => ({
    name: `r${at}`,
    route: compiled(`FROM /* WHERE ${text} INTO topic("t${at}")`),
    priority: 9,
    ttl: undefined,
  }));
  return createDispatcher(entries);
}

/** Returns a message that records the reads of its values. */
function watched(reads: string[], system: Readonly<Record<string, string>>, body: unknown): Subject {
  return {
    source: '/messages',
    topic: 'a',
    properties: [],
    system: name => {
      reads.push(`system ${name}`);
      return system[name];
    },
    body: () => {
      reads.push('body');
      return body;
    },
  };
}

const COUNTED = { true: 'matched', false: 'unmatched', undefined: 'undefined', error: 'errors' } as const;

function noCounts(): Record<(typeof COUNTED)[ConditionResult], number> {
  return { matched: 0, unmatched: 0, undefined: 0, errors: 0 };
}

/** Returns the expected destinations: the most urgent matching route of each sink, evaluated one by one. */
function oneByOne(
  entries: readonly RouteSetEntry[],
  subject: Subject,
  counts: Readonly<Record<string, ReturnType<typeof noCounts>>>,
): string[] {
  const best = new Map<string, RouteSetEntry>();
  for (const entry of entries) {
    const verdict = entry.route.evaluate(subject);
    const own = counts[entry.name];
    if (own !== undefined) own[COUNTED[verdict]] += 1;
    const sink = printSink(entry.route.tree.sink);
    const before = best.get(sink)?.priority ?? Number.POSITIVE_INFINITY;
    if (verdict === 'true' && entry.priority < before) best.set(sink, entry);
  }
  return Array.from(best, ([sink, { priority, ttl }]) => `${sink} ${priority} ${ttl}`).toSorted();
}

sets.run();
