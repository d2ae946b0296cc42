import fc from 'fast-check';
import type {
  BinaryOperator,
  BodyPath,
  Expression,
  Literal,
  PathStep,
  SystemProperty,
} from '../../../src/routes/tree.ts';
import { FUNCTIONS } from '../../../src/routes/types/functions.ts';
import type { Sample } from '../subject.ts';

const AT = { start: 0, end: 0 };

/** Few names and values, so that conditions often match messages. */
const NAMES = ['a', 'B', 'none', "it's", 'a-b', 'c!'];
const SYSTEM = ['contentType', 'messageId'];
const TEXTS = ['', 'a', 'ab', '1', '-2.5', ' 10 ', '1,000', '(5)', '1e2', '3-', 'Infinity', 'x'];
const NUMBERS = [0, 1, -1, 2, 0.5, 10, -100, 1e21, Number.POSITIVE_INFINITY];
const PATHS: readonly (readonly PathStep[])[] = [
  ['a'],
  ['b'],
  ['a', 'b'],
  ['list', 0],
  ['list', 1, 'a'],
  ['gone'],
];

/** Arbitrary messages for the conditions below. */
export const azureSamples: fc.Arbitrary<Sample> = fc.record({
  properties: fc.dictionary(
    fc.constantFrom('a', 'A', 'b', "it's", '$contentType', '$body.a', '$messageId'),
    fc.option(fc.constantFrom(...TEXTS), { nil: null }),
  ),
  system: fc.record(
    {
      contentType: fc.constantFrom('application/json', 'Application/JSON', 'text/plain'),
      contentEncoding: fc.constantFrom('utf-8', 'UTF-16'),
      messageId: fc.constantFrom(...TEXTS),
    },
    { requiredKeys: ['contentEncoding'] },
  ),
  body: fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom<unknown>(undefined, [], 5, null) },
    { weight: 12, arbitrary: bodies() },
  ),
});

function bodies(): fc.Arbitrary<unknown> {
  const leaf = fc.constantFrom<unknown>(
    ...['', 'a', 'ab', '1', '2026-11-23T19:00:00Z'],
    ...[0, 1, -1, 0.5, 10, true, false, null],
  );
  const inner = fc.oneof(
    leaf,
    fc.record({ a: leaf, b: leaf }, { requiredKeys: [] }),
    fc.array(leaf, { maxLength: 2 }),
  );
  const list = fc.array(inner, { maxLength: 2 });
  return fc.record({ a: inner, b: inner, list }, { requiredKeys: [] });
}

type Typed = {
  number: Expression;
  string: Expression;
  boolean: Expression;
  dynamic: Expression;
  any: Expression;
};

/** Arbitrary conditions whose operand types mostly match. */
export const azureConditions: fc.Arbitrary<Expression> = fc.letrec<Typed>(tie => {
  const of = (type: keyof Typed): fc.Arbitrary<Expression> =>
    fc.oneof({ weight: 12, arbitrary: tie(type) }, { weight: 6, arbitrary: tie('dynamic') }, tie('any'));
  const call = (name: string, ...operands: readonly fc.Arbitrary<Expression>[]): fc.Arbitrary<Expression> =>
    fc.tuple(...operands).map(values => ({ kind: 'call', name, operands: values, ...AT }) as const);
  const binary = (
    operators: readonly BinaryOperator[],
    operand: fc.Arbitrary<Expression>,
  ): fc.Arbitrary<Expression> =>
    fc
      .tuple(fc.constantFrom(...operators), operand, operand)
      .map(([operator, left, right]) => ({ kind: 'binary', operator, left, right, ...AT }) as const);
  const comparisons: readonly BinaryOperator[] = ['=', '!=', '<', '<=', '>', '>='];
  const anything = fc.oneof(tie('number'), tie('string'), tie('boolean'), tie('dynamic'), tie('any'));
  const numeric = ['abs', 'ceiling', 'exp', 'floor', 'sign', 'sqrt', 'square'];
  return {
    number: fc.oneof(
      { maxDepth: 3 },
      literals(...NUMBERS),
      binary(['+', '-', '*', '/', '%', '??'], of('number')),
      of('number').map(operand => ({ kind: 'unary', operator: '-', operand, ...AT }) as const),
      ...numeric.map(name => call(name, of('number'))),
      call('power', of('number'), of('number')),
      call('as_number', of('string')),
      call('length', of('string')),
      call('index_of', of('string'), of('string')),
    ),
    string: fc.oneof(
      { maxDepth: 3 },
      fc.oneof(literals(...TEXTS), properties(), shadowed(systems())),
      binary(['||', '??'], of('string')),
      call('concat', of('string'), of('string'), of('string')),
      call('lower', of('string')),
      call('upper', of('string')),
      call('substring', of('string'), of('number')),
      call('substring', of('string'), of('number'), of('number')),
    ),
    boolean: fc.oneof(
      { maxDepth: 4 },
      literals(true, false, undefined, null),
      binary(['AND', 'OR', '??', ...comparisons], of('boolean')),
      of('boolean').map(operand => ({ kind: 'unary', operator: 'NOT', operand, ...AT }) as const),
      binary(comparisons, of('number')),
      binary(comparisons, of('string')),
      binary(comparisons, fc.oneof(tie('dynamic'), literals(null))),
      call('contains', of('string'), of('string')),
      call('starts_with', of('string'), of('string')),
      call('ends_with', of('string'), of('string')),
      ...['is_bool', 'is_defined', 'is_null', 'is_number', 'is_string'].map(name => call(name, anything)),
    ),
    dynamic: fc.oneof(
      { maxDepth: 3 },
      fc.oneof(bodyPaths(), shadowed(bodyPaths())),
      binary(['+', '-', '*', '/', '??'], fc.oneof(tie('dynamic'), tie('number'))),
      binary(['??'], anything),
    ),
    any: fc.oneof(
      { maxDepth: 3 },
      literals(1, 'a', true, null, undefined),
      fc
        .tuple(fc.constantFrom(...FUNCTIONS.azure.keys()), fc.array(anything, { minLength: 1, maxLength: 3 }))
        .map(([name, operands]) => ({ kind: 'call', name, operands, ...AT }) as const),
    ),
  };
}).boolean;

function literals(...values: readonly Literal['value'][]): fc.Arbitrary<Expression> {
  return fc.constantFrom(...values).map(value => ({ kind: 'literal', value, ...AT }));
}

function properties(): fc.Arbitrary<Expression> {
  return fc.constantFrom(...NAMES).map(name => ({ kind: 'property', name, ...AT }) as const);
}

function systems(): fc.Arbitrary<SystemProperty> {
  return fc.constantFrom(...SYSTEM).map(name => ({ kind: 'system', name, ...AT }) as const);
}

function bodyPaths(): fc.Arbitrary<BodyPath> {
  return fc.constantFrom(...PATHS).map(path => ({ kind: 'body', path, ...AT }) as const);
}

/**
 * Returns the same values as if an application property could shadow them, except for paths with an index.
 */
function shadowed(hidden: fc.Arbitrary<SystemProperty | BodyPath>): fc.Arbitrary<Expression> {
  return hidden.map(inner => {
    if (inner.kind === 'body' && inner.path.some(step => typeof step === 'number')) return inner;
    const name = inner.kind === 'system' ? `$${inner.name}` : `$body.${inner.path.join('.')}`;
    return { kind: 'shadowed', name, hidden: inner, ...AT } as const;
  });
}
