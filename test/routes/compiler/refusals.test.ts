import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_ROUTE_LENGTH } from '../../../src/core/limits.ts';
import { type Diagnostic, formatDiagnostic } from '../../../src/routes/diagnostics.ts';
import { compileRoute } from '../../../src/routes/route.ts';

type Row = readonly [route: string, line: number, column: number, part: string];

/** Invalid routes with the line, the column and a part of the error. */
const ROUTES: readonly Row[] = [
  ['', 1, 1, 'unexpected end of the route; expected FROM'],
  ['   \n', 2, 1, 'unexpected end of the route'],
  ['FORM /* INTO $upstream', 1, 1, 'did you mean FROM?'],
  ['SELECT FROM /* INTO $upstream', 1, 8, 'FROM is not allowed here; expected *'],
  ['SELECT temp FROM /* INTO $upstream', 1, 8, 'expected *'],
  ['FROM', 1, 5, 'expected a source'],
  ['FROM messages/* INTO $upstream', 1, 6, 'expected a source such as /messages/*'],
  ['FROM topik("a") INTO $upstream', 1, 6, 'did you mean topic?'],
  ['FROM $upstream INTO $upstream', 1, 21, 'messages FROM an upstream cannot go back INTO the same one'],
  ['FROM $upstream("a/#") WHERE $body.x INTO $UPSTREAM', 1, 42, 'cannot go back INTO the same one'],
  ['FROM $upstraem INTO topic("a")', 1, 6, '$upstraem is not allowed here; expected a source'],
  ['FROM $upstraem INTO topic("a")', 1, 6, 'did you mean $upstream?'],
  ['FROM $upstream("a/#/b") INTO topic("a")', 1, 16, 'a # that is not the whole of its last level'],
  ['FROM $upstream("") INTO topic("a")', 1, 16, 'is empty'],
  ['FROM $upstream(a) INTO topic("a")', 1, 16, 'expected a string in quotes'],
  ['FROM $upstream("a" INTO topic("a")', 1, 20, 'expected )'],
  ['FROM $upstream/a/b INTO topic("a")', 1, 17, '/ is not allowed here; expected WHERE or INTO'],
  ['FROM $upstream/ INTO topic("a")', 1, 15, 'this is not the name of an upstream'],
  ['FROM $upstream/a.b INTO topic("a")', 1, 15, 'expected $upstream/<name>, with a name of letters'],
  ['FROM $upstream/a INTO $upstream/a', 1, 23, 'cannot go back INTO the same one'],
  ['FROM /* INTO $upstream /a', 1, 24, 'unexpected text after the sink'],
  ['FROM /$upstream/* INTO topic("a")', 1, 7, '$upstream is not part of any source'],
  ['FROM /* WERE true INTO $upstream', 1, 9, 'did you mean WHERE?'],
  ['FROM /*\nWHERE true\nINTO $upstraem', 3, 6, 'did you mean $upstream?'],
  ['FROM /*', 1, 8, 'expected WHERE or INTO'],
  ['FROM /* INTO', 1, 13, 'expected $upstream, BrokeredEndpoint'],
  ['FROM /* WHERE true', 1, 19, 'expected an operator, or INTO and a sink'],
  ['FROM /* WHERE INTO $upstream', 1, 15, 'a property of that name is written {INTO}'],
  ['FROM /* INTO $upstream WHERE true', 1, 24, 'a condition goes before INTO'],
  ['FROM /* INTO $upstream $upstream', 1, 24, 'unexpected text after the sink'],
  ['FROM /* INTO $upstream;', 1, 23, '; is not allowed here'],

  ['FROM /message/* INTO $upstream', 1, 7, 'did you mean messages?'],
  ['FROM /messages/event INTO $upstream', 1, 16, 'event is not part of any source'],
  ['FROM /foo/* INTO $upstream', 1, 7, 'expected /*, /messages/*'],
  ['FROM /messages/modules/a/output/* INTO $upstream', 1, 26, 'did you mean outputs?'],
  ['FROM /messages/modules/a/inputs/b INTO $upstream', 1, 26, 'inputs is not part'],
  ['FROM /messages/modules/a/outputs/b/c INTO $upstream', 1, 36, 'no source has a segment c here'],
  ['FROM /*/messages/* INTO $upstream', 1, 7, 'only at the end'],
  ['FROM /messages/modules/a* INTO $upstream', 1, 24, 'only at the end'],
  ['FROM //messages INTO $upstream', 1, 7, 'empty segment'],
  ['FROM /messages/* /* a comment INTO $upstream', 1, 18, 'this comment is not closed'],
  ['FROM topic("a/#/b") INTO $upstream', 1, 12, 'a # that is not the whole of its last level'],
  ['FROM topic("a/b+") INTO $upstream', 1, 12, 'a + that is not a whole level'],
  ['FROM topic("") INTO $upstream', 1, 12, 'is empty'],
  ['FROM topic("a/\u0001") INTO $upstream', 1, 12, 'contains the character U+0001'],
  ['FROM /* INTO topic("a\u0085")', 1, 20, 'contains the character U+0085'],
  ['FROM /* INTO BrokeredEndpoint("/modules/a/inputs/b\ufffe")', 1, 31, 'contains the character U+FFFE'],
  ['FROM topic(sensors) INTO $upstream', 1, 12, 'expected a string in quotes'],
  ['FROM topic "a" INTO $upstream', 1, 12, 'expected ('],

  ['FROM /* INTO upstream', 1, 14, 'did you mean $upstream?'],
  ['FROM /* INTO BrokerEndpoint("/modules/a/inputs/b")', 1, 14, 'did you mean BrokeredEndpoint?'],
  ['FROM /* INTO "/modules/a/inputs/b"', 1, 14, 'a string is not allowed here'],
  ['FROM /* INTO BrokeredEndpoint("/modules/a/inputs/b"', 1, 52, 'expected )'],
  ['FROM /* INTO BrokeredEndpoint("/modules/a/inputs/b)', 1, 31, 'unterminated string'],
  ['FROM /* INTO BrokeredEndpoint("/modules/a/input/b")', 1, 31, '/modules/<module>/inputs/<input>'],
  ['FROM /* INTO BrokeredEndpoint("/modules/a/inputs/b/c")', 1, 31, 'not the address of an input'],
  ['FROM /* INTO BrokeredEndpoint("/modules//inputs/b")', 1, 31, 'not the address of an input'],
  ['FROM /* INTO BrokeredEndpoint("modules/a/inputs/b")', 1, 31, 'not the address of an input'],
  ['FROM /* INTO BrokeredEndpoint("/modules/+/inputs/b")', 1, 31, 'contains a wildcard'],
  ['FROM /* INTO topic("alerts/+")', 1, 20, 'contains a wildcard'],
  ['FROM /* INTO topic("")', 1, 20, 'is empty'],
];

/** Invalid conditions. The column is relative to the start of the condition. */
const CONDITIONS: readonly (readonly [condition: string, column: number, part: string])[] = [
  ['temp > 50', 1, 'temp is an application property and so a string, 50 is a number; write as_number(temp)'],
  ['50 < temp', 1, 'write as_number(temp)'],
  ['temp = 50', 1, 'write as_number(temp)'],
  ['$enqueuedTime > 5', 1, '$enqueuedTime is a system property and so a string'],
  ['lower(temp) = 5', 1, 'write as_number(lower(temp))'],
  ['temp + 1 = 2', 1, '+ requires a number, but temp is an application property'],
  ['-temp = 2', 2, 'write as_number(temp)'],
  ['abs(temp) = 2', 5, 'write as_number(temp)'],
  ["3 + '4' = 7", 5, '+ requires a number, but "4" is a string'],
  ["'a' + 'b' = 'ab'", 1, '+ requires a number'],
  ["'a' || 5 = 'a5'", 8, '|| requires a string, but 5 is a number'],
  ['flag = true', 1, "write 'true' or 'false' in quotes"],
  ['level = null', 1, 'write NOT is_defined(level)'],
  ['3 = true', 1, '= requires two operands of one type: 3 is a number, true is a boolean'],
  ['$body.a > true', 11, '> requires numbers or strings'],
  ['null < null', 1, '< requires numbers or strings'],
  ['1 < 2 < 3', 1, '1 < 2 is a boolean, 3 is a number'],
  ['(12.34 ?? key1) = 1', 1, '?? requires two operands of one type'],
  ['level', 1, "compare it, as in level = 'true'"],
  ["'hot'", 1, 'a condition requires a boolean, but "hot" is a string'],
  ['42', 1, 'a condition requires a boolean'],
  ['null', 1, 'a condition requires a boolean'],
  ['level AND true', 1, 'AND requires a boolean'],
  ['true OR null', 9, 'OR requires a boolean'],
  ["NOT level = 'hot'", 5, 'NOT binds tighter than a comparison'],
  ['NOT $body.a = 5', 1, 'NOT binds tighter than a comparison'],

  ["lenght(level) = '1'", 1, 'lenght is not a function; did you mean length?'],
  ['startswith(level, "a")', 1, 'did you mean starts_with?'],
  ['length() = 1', 1, 'length requires 1 operand, but has 0'],
  ['abs(1, 2) = 1', 1, 'abs requires 1 operand, but has 2'],
  ['substring(level) = "a"', 1, 'substring requires 2 or 3 operands'],
  ['concat() = "a"', 1, 'concat requires at least 2 operands'],
  ['as_number(true) = 1', 11, 'as_number requires a number or a string'],
  ['contains(level, 5)', 17, 'contains requires a string'],
  ['length(level = 3', 17, 'unexpected end of the route; expected )'],
  ['length(level,) = 3', 14, ') is not allowed here; expected a value'],

  ['$contenttype = "a"', 1, 'did you mean $contentType?'],
  ['$childmodule = "a"', 1, 'did you mean $childModule?'],
  ['$bdoy.a = 1', 1, 'did you mean $body?'],
  ['$ = 1', 1, 'write $ before the name'],
  ['$State = "WA"', 1, 'an application property of that name is {$State}'],
  ['$body. = 1', 6, 'no key follows this dot'],
  ['$body.a[] = 1', 8, 'brackets must contain an index or a quoted key'],
  ['$body.a[x] = 1', 8, 'expected [0] or ["key"]'],
  ['$body.a[-1] = 1', 8, 'brackets must contain an index'],
  ['$body.a[99999999999999999999] = 1', 8, 'brackets must contain an index'],
  ['$body.a[0 = 1', 8, 'unclosed bracket'],
  ['$body.a .b = 1', 9, '. is not allowed here'],
  ['$body.a [0] = 1', 9, 'write an index directly after'],

  ['$body.a == 1', 9, 'write = to compare'],
  ['$body.a && true', 9, 'write AND'],
  ['!true', 1, 'write NOT'],
  ['level! = "a"', 6, 'write NOT'],
  ['level | "a" = "b"', 7, 'write || to join strings'],
  ['level ? "a"', 7, 'write ?? for a default'],
  ['level = “hot”', 9, '“ is not a quote here'],
  ['level\u200b = "a"', 6, 'the character U+200B'],
  ['level = \u0007', 9, 'the character U+0007'],
  ["level'hot' = 'a'", 6, 'a string is not allowed here'],
  ['level = hot cold', 13, 'expected an operator, or INTO and a sink'],
  ['level = = "a"', 9, '= is not allowed here; expected a value'],
  ['true adn false', 6, 'did you mean AND?'],
  ['True', 1, 'did you mean true?'],
  ['level = NULL', 9, 'NULL is written in lower case'],
  ['from = "a"', 1, 'a property of that name is written {from}'],
  ['3d = "a"', 1, 'write a name that begins with a digit in braces: {3d}'],
  ['5. = 5', 1, '5. is not a number'],
  ['1e = 1', 1, '1e is not a number'],
  ['12.34.56 = 1', 1, 'is not a number'],
  ['0xZ = 1', 1, '0xZ is not a number'],
  ['{ level } = "a"', 1, 'braces must contain the name of one application property'],
  ['{} = "a"', 1, 'braces must contain the name'],
  ['{level = "a"', 1, 'this brace is not closed'],
  ['level = "\\n"', 10, '\\n is not an escape'],
  ['level = "\\u12g4"', 10, '\\u is not an escape'],
  ['(true', 6, 'expected )'],
  ['true)', 5, ') is not allowed here'],
  ['()', 2, 'expected a value'],
];

const PREFIX = 'FROM /* WHERE ';

const refusals = suite('routes: refusals');

for (const [text, line, column, part] of ROUTES) {
  refusals(
    `the route ${JSON.stringify(text)} is refused with an error that contains ${JSON.stringify(part)}`,
    () => assertRefused(text, line, column, part),
  );
}

for (const [condition, column, part] of CONDITIONS) {
  const ends = part.includes('unexpected end') || part.includes('not closed') || part === 'expected )';
  const text = `${PREFIX}${condition}${ends ? '' : ' INTO $upstream'}`;
  refusals(`the route ${text} is refused with an error that contains ${JSON.stringify(part)}`, () =>
    assertRefused(text, 1, PREFIX.length + column, part),
  );
}

refusals('an error of a route shows the line with carets under the wrong part', () => {
  const text = 'FROM /messages/*\n  WHERE lenght(level) = 3\n  INTO $upstream';
  assert.is(
    formatDiagnostic('hot', text, diagnosticOf(text)),
    [
      'route hot, line 2, column 9: lenght is not a function; did you mean length?',
      '    WHERE lenght(level) = 3',
      '          ^^^^^^',
    ].join('\n'),
  );
});

refusals('columns and carets in an error of a route count characters, not UTF-16 units', () => {
  const text = "FROM /* WHERE level = '🔥🔥' AND lenght(level) = 3 INTO $upstream";
  const diagnostic = diagnosticOf(text);
  assert.is(diagnostic.column, 32);
  const [, , carets = ''] = formatDiagnostic('r', text, diagnostic).split('\n');
  assert.is(carets.indexOf('^'), 2 + 31);
});

refusals('an error of a route shows only the part of a long line around the error', () => {
  const text = `FROM /* WHERE level = '${'x'.repeat(500)}' AND lenght(level) = 3 AND b = '${'y'.repeat(500)}' INTO $upstream`;
  const [, excerpt = '', carets = ''] = formatDiagnostic('r', text, diagnosticOf(text)).split('\n');
  assert.ok(excerpt.length < 120, `${excerpt.length} characters`);
  assert.is(excerpt.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1), 'lenght');
});

refusals('a route with WHERE and no condition is refused in both dialects', () => {
  const endpoint = 'BrokeredEndpoint("/modules/a/inputs/b")';
  for (const text of [
    `FROM /messages WHERE INTO ${endpoint}`,
    `FROM /messages WHERE   into ${endpoint}`,
    'SELECT * FROM /* where /* nothing */ INTO $upstream',
    'FROM /messages WHERE () INTO $upstream',
    'FROM /messages WHERE',
    'FROM /messages WHERE INTO INTO $upstream',
  ]) {
    for (const dialect of ['azure', 'skerry'] as const) {
      const result = compileRoute(text, dialect);
      assert.ok('diagnostic' in result, `${dialect}: ${text}`);
    }
  }
});

refusals('an error of a route contains no control characters', () => {
  const text = "FROM /* WHERE level = '\u001b[31m' AND \u001b[0m INTO $upstream";
  assert.not.ok(formatDiagnostic('r\u001b[2J', text, diagnosticOf(text)).includes('\u001b'));
});

refusals('a route above the maximum length is refused without parsing', () => {
  const text = `FROM /* WHERE ${'x'.repeat(MAX_ROUTE_LENGTH)}`;
  assert.match(diagnosticOf(text).sentence, `a route may have at most ${MAX_ROUTE_LENGTH} characters`);
});

refusals('a condition with more than the maximum number of nested levels is refused', () => {
  const nest = (depth: number): string =>
    `${PREFIX}${'('.repeat(depth)}true${')'.repeat(depth)} INTO $upstream`;
  assert.ok('route' in compileRoute(nest(64)));
  assert.match(diagnosticOf(nest(65)).sentence, 'nested at most 64 levels deep');
  assert.match(
    diagnosticOf(`${PREFIX}${'NOT '.repeat(900)}true INTO $upstream`).sentence,
    'nested at most 64 levels deep',
  );
  assert.match(diagnosticOf(`${PREFIX}${'abs('.repeat(900)}`).sentence, 'nested at most 64 levels deep');
});

refusals('a condition with more than the maximum number of operands is refused', () => {
  const chain = (terms: number): string => `${PREFIX}${Array(terms).fill('1').join('+')}=1 INTO $upstream`;
  assert.ok('route' in compileRoute(chain(499)));
  assert.match(diagnosticOf(chain(1000)).sentence, '1000 operands and operators');
});

function assertRefused(text: string, line: number, column: number, part: string): void {
  const diagnostic = diagnosticOf(text);
  const formatted = formatDiagnostic('r', text, diagnostic);
  assert.ok(formatted.includes(part), `${JSON.stringify(part)} is not in ${formatted}`);
  assert.equal([diagnostic.line, diagnostic.column], [line, column], formatted);
}

function diagnosticOf(text: string): Diagnostic {
  const result = compileRoute(text);
  if ('route' in result) throw new Error(`compiled: ${text}`);
  return result.diagnostic;
}

refusals.run();
