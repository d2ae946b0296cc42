import fc from 'fast-check';
import { hasForbiddenCharacter } from '../../../src/core/text/characters.ts';
import { goesRound } from '../../../src/routes/syntax/parser.ts';
import { SYSTEM_PROPERTIES } from '../../../src/routes/system.ts';
import type { BinaryOperator, Expression, Literal, PathStep, RouteTree } from '../../../src/routes/tree.ts';
import { FUNCTIONS } from '../../../src/routes/types/functions.ts';
import type { Type } from '../../../src/routes/types/types.ts';
import type { Sample } from '../subject.ts';

const AT = { start: 0, end: 0 };

/** Few names and values, so that conditions often match messages. */
const NAMES = ['a', 'b', 'c'];
const TEXTS = ['', 'a', 'ab', 'b', '1', '-2.5', ' 10 ', '1e2', '0x1', 'Ä'];
const NUMBERS = [0, 1, 2, 0.5, 10, 100, 1e21, Number.POSITIVE_INFINITY];
const STEPS: readonly PathStep[] = ['a', 'b', 'list', 0, 1, 'length', 'constructor'];

/** Arbitrary messages for the conditions below. */
export const samples: fc.Arbitrary<Sample> = fc.record({
  properties: fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom(...TEXTS)),
  system: fc.dictionary(fc.constantFrom('contentType', 'messageId'), fc.constantFrom(...TEXTS)),
  body: fc.oneof({ weight: 1, arbitrary: fc.constant(undefined) }, { weight: 9, arbitrary: bodies() }),
});

function bodies(): fc.Arbitrary<unknown> {
  const leaf = fc.constantFrom<unknown>(...TEXTS, ...NUMBERS, -1, Number.NaN, true, false, null);
  const { body } = fc.letrec<{ body: unknown }>(tie => ({
    body: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.dictionary(fc.constantFrom('a', 'b', 'list'), tie('body')),
      fc.array(tie('body'), { maxLength: 3 }),
    ),
  }));
  return body;
}

type Typed = { number: Expression; string: Expression; boolean: Expression; dynamic: Expression };

/** Arbitrary conditions with matching operand types, all of which must compile. */
export const conditions: fc.Arbitrary<Expression> = fc.letrec<Typed>(tie => {
  const operand = (type: Type): fc.Arbitrary<Expression> => {
    if (type === 'null') return literals(null);
    if (type === 'undefined' || type === 'dynamic') return literals(undefined);
    return fc.oneof({ weight: 3, arbitrary: tie(type) }, tie('dynamic'));
  };
  const anyOf = (types: readonly Type[]): fc.Arbitrary<Expression> =>
    fc.oneof(...types.filter(type => type !== 'dynamic').map(operand));
  const anything = anyOf(['number', 'string', 'boolean', 'null', 'undefined']);
  const calls = (result: Type): readonly fc.Arbitrary<Expression>[] =>
    Array.from(FUNCTIONS.skerry)
      .filter(([, row]) => row.result === result)
      .map(([name, { parameters, optional, repeats }]) => {
        const operands = parameters.map(anyOf);
        const most = repeats ? [...operands, ...operands, ...operands] : operands;
        const given = fc.oneof(fc.tuple(...most), fc.tuple(...operands.slice(0, operands.length - optional)));
        return given.map(values => ({ kind: 'call', name, operands: values, ...AT }) as const);
      });
  return {
    number: fc.oneof(
      { maxDepth: 4 },
      literals(...NUMBERS),
      ...binaries(['+', '-', '*', '/', '%'], operand('number')),
      tie('number').map(minus),
      ...binaries(['??'], tie('number')),
      ...calls('number'),
    ),
    string: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(literals(...TEXTS), properties()),
      ...binaries(['||'], operand('string')),
      ...binaries(['??'], tie('string')),
      ...calls('string'),
    ),
    boolean: fc.oneof(
      { maxDepth: 5 },
      literals(true, false, undefined),
      ...binaries(['AND', 'OR', '=', '!=', '??'], operand('boolean')),
      operand('boolean').map(not),
      ...binaries(['<', '<=', '>', '>=', '=', '!='], operand('number')),
      ...binaries(['<', '<=', '>', '>=', '=', '!='], operand('string')),
      ...binaries(['=', '!='], fc.oneof(tie('dynamic'), literals(null))),
      ...calls('boolean'),
    ),
    dynamic: fc.oneof(
      { maxDepth: 4 },
      fc.array(fc.constantFrom(...STEPS), { maxLength: 3 }).map(bodyPath),
      fc.tuple(tie('dynamic'), anything).map(([left, right]) => binary('??', left, right)),
    ),
  };
}).boolean;

const upstreamNames = fc.constantFrom(undefined, 'upstream', 'cloud', '1-_');

/** Arbitrary route trees, also with operand types that do not match. */
export const trees: fc.Arbitrary<RouteTree> = fc
  .record({
    source: fc.oneof(
      fc
        .constantFrom(
          [],
          ['messages'],
          ['messages', 'modules'],
          ['messages', 'modules', 'Host'],
          ['messages', 'modules', 'host', 'outputs'],
          ['messages', 'modules', 'host', 'outputs', 'temp'],
        )
        .map(segments => ({ kind: 'path', segments }) as const),
      fc.constantFrom('#', 'a/+/b', '$SYS/"\\').map(filter => ({ kind: 'topic', filter }) as const),
      fc.record({
        kind: fc.constant('upstream'),
        name: upstreamNames,
        filter: fc.constantFrom(undefined, '#', '"/+'),
      }),
    ),
    condition: fc.option(anyExpression(), { nil: undefined }),
    sink: fc.oneof(
      fc.record({ kind: fc.constant('upstream'), name: upstreamNames }),
      fc.record({ kind: fc.constant('input'), module: segments(), input: segments() }),
      fc.constantFrom('a/b', 'Ä"\\').map(topic => ({ kind: 'topic', topic }) as const),
    ),
  })
  .filter(({ source, sink }) => !goesRound(source, sink));

function anyExpression(): fc.Arbitrary<Expression> {
  const names = fc.oneof(
    fc.constantFrom('and', 'TRUE', '$x', '1a', '-a', 'a-b', 'a.b', '.a', 'two words', "it's", 'a+b', '“'),
    fc.string({ minLength: 1, unit: 'binary' }).filter(name => name === name.trim() && !/[{}\n]/.test(name)),
  );
  const { tree } = fc.letrec<{ tree: Expression }>(tie => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      names.map(name => ({ kind: 'property', name, ...AT }) as const),
      fc
        .double({ min: 0, noNaN: true })
        .map(value => ({ kind: 'literal', value: value + 0, ...AT }) as const),
      fc.string({ unit: 'binary' }).map(value => ({ kind: 'literal', value, ...AT }) as const),
      literals(true, false, null, undefined),
      fc.constantFrom(...SYSTEM_PROPERTIES.skerry).map(name => ({ kind: 'system', name, ...AT }) as const),
      fc.array(fc.oneof(fc.nat(), fc.string({ unit: 'binary' })), { maxLength: 3 }).map(bodyPath),
      tie('tree').map(not),
      tie('tree').map(minus),
      ...binaries(
        ['??', 'OR', 'AND', '=', '!=', '<', '<=', '>', '>=', '+', '-', '||', '*', '/', '%'],
        tie('tree'),
      ),
      fc
        .tuple(fc.constantFrom('abs', 'nothing', 'length'), fc.array(tie('tree'), { maxLength: 2 }))
        .map(([name, operands]) => ({ kind: 'call', name, operands, ...AT }) as const),
    ),
  }));
  return tree;
}

function segments(): fc.Arbitrary<string> {
  return fc
    .string({ minLength: 1, unit: 'binary' })
    .filter(name => !/[/+#]/.test(name) && !hasForbiddenCharacter(name));
}

function literals(...values: readonly Literal['value'][]): fc.Arbitrary<Expression> {
  return fc.constantFrom(...values).map(value => ({ kind: 'literal', value, ...AT }));
}

function properties(): fc.Arbitrary<Expression> {
  return fc.oneof(
    fc.constantFrom(...NAMES).map(name => ({ kind: 'property', name, ...AT }) as const),
    fc.constantFrom('contentType', 'messageId').map(name => ({ kind: 'system', name, ...AT }) as const),
  );
}

function binaries(
  operators: readonly BinaryOperator[],
  operand: fc.Arbitrary<Expression>,
): readonly fc.Arbitrary<Expression>[] {
  return operators.map(operator =>
    fc.tuple(operand, operand).map(([left, right]) => binary(operator, left, right)),
  );
}

function binary(operator: BinaryOperator, left: Expression, right: Expression): Expression {
  return { kind: 'binary', operator, left, right, ...AT };
}

function not(operand: Expression): Expression {
  return { kind: 'unary', operator: 'NOT', operand, ...AT };
}

function minus(operand: Expression): Expression {
  return { kind: 'unary', operator: '-', operand, ...AT };
}

function bodyPath(path: readonly PathStep[]): Expression {
  return { kind: 'body', path, ...AT };
}
