import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { printRoute } from '../../../src/routes/printer.ts';
import { parseRoute } from '../../../src/routes/syntax/parser.ts';
import { trees } from '../model/arbitraries.ts';
import { withoutSpans } from '../model/tree.ts';

/** Source text and its printed form. */
const ROWS: readonly (readonly [written: string, printed: string])[] = [
  ['select * from / into $UPSTREAM', 'FROM /* INTO $upstream'],
  [
    'FROM /messages/modules/a into brokeredendpoint(\'/modules/b/inputs/"in"\')',
    'FROM /messages/modules/a/* INTO BrokeredEndpoint("/modules/b/inputs/\\"in\\"")',
  ],
  ['FROM $UPSTREAM INTO topic("b")', 'FROM $upstream INTO topic("b")'],
  ["FROM $Upstream ('a/+') INTO topic('b')", 'FROM $upstream("a/+") INTO topic("b")'],
  ['FROM topic("a/+") INTO topic("b")', 'FROM topic("a/+") INTO topic("b")'],
  ["FROM $Upstream/a-1 ('a/+') INTO $upstream/B_2", 'FROM $upstream/a-1("a/+") INTO $upstream/B_2'],
  ['FROM $upstream/* any */ INTO topic("b")', 'FROM $upstream INTO topic("b")'],
  ["FROM /* WHERE ((a)='x') INTO $upstream", 'FROM /* WHERE a = "x" INTO $upstream'],
  ['FROM /* WHERE a<>b INTO $upstream', 'FROM /* WHERE a != b INTO $upstream'],
  ['FROM /* WHERE (a OR b) AND c INTO $upstream', 'FROM /* WHERE (a OR b) AND c INTO $upstream'],
  ['FROM /* WHERE a OR (b AND c) INTO $upstream', 'FROM /* WHERE a OR b AND c INTO $upstream'],
  ['FROM /* WHERE 1-(2-3)=2 INTO $upstream', 'FROM /* WHERE 1 - (2 - 3) = 2 INTO $upstream'],
  ['FROM /* WHERE not(a=b) INTO $upstream', 'FROM /* WHERE NOT (a = b) INTO $upstream'],
  ['FROM /* WHERE - -1=0x10 INTO $upstream', 'FROM /* WHERE --1 = 16 INTO $upstream'],
  ['FROM /* WHERE {$a}={b} INTO $upstream', 'FROM /* WHERE {$a} = b INTO $upstream'],
  ['FROM /* WHERE $BODY["a"]["b c"][0] INTO $upstream', 'FROM /* WHERE $body.a["b c"][0] INTO $upstream'],
  ['FROM /* WHERE LENGTH ( a ) = 1.50e1 INTO $upstream', 'FROM /* WHERE length(a) = 15 INTO $upstream'],
];

const printer = suite('routes: printer');

for (const [written, printed] of ROWS) {
  printer(`the route ${written} is printed as ${printed}`, () =>
    assert.is(printRoute(parseRoute(written, 'skerry').tree), printed),
  );
}

printer('a printed skerry route parses to the same syntax tree', () => {
  const property = fc.property(trees, tree => {
    const parsed = parseRoute(printRoute(tree), 'skerry').tree;
    assert.equal(withoutSpans(parsed), withoutSpans(tree), printRoute(tree));
  });
  fc.assert(property, { numRuns: 3000 });
});

printer.run();
