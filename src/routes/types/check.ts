import { closestName } from '../../core/text/closest-name.ts';
import { refuse } from '../diagnostics.ts';
import type { Dialect } from '../dialect.ts';
import { TWIN_CHANGE } from '../syntax/twin.ts';
import type { Binary, Call, Expression, UnaryOperator } from '../tree.ts';
import { AZURE } from './azure.ts';
import { FUNCTIONS, type FunctionSignature } from './functions.ts';
import { SKERRY } from './skerry.ts';
import { countError, operandError } from './type-errors.ts';
import { literalType, type Type, type TypeFacts } from './types.ts';

/** Operand types of the operators of a dialect. */
export type Typing = {
  readonly unary: Readonly<Record<UnaryOperator, { readonly takes: readonly Type[]; readonly gives: Type }>>;
  /** Returns the result type of a binary operator. Throws a `RouteError` for invalid operand types. */
  readonly binary: (expression: Binary, left: Type, right: Type) => Type;
  /** Accepted types of a whole condition. */
  readonly condition: readonly Type[];
};

const TYPINGS: Readonly<Record<Dialect, Typing>> = { skerry: SKERRY, azure: AZURE };

/**
 * Checks the types of a condition. Throws `RouteError` if the condition is not boolean or has operands of
 * invalid types.
 */
export function checkCondition(condition: Expression, dialect: Dialect): TypeFacts {
  const { unary, binary, condition: accepted } = TYPINGS[dialect];
  const facts = new Map<Expression, Type>();

  const requireType = (operand: Expression, types: readonly Type[], consumer: string): void => {
    const type = typeOf(operand);
    if (!types.includes(type)) refuse(operand, operandError(consumer, types, operand, type));
  };

  const callType = (call: Call): Type => {
    const { parameters, result } = signatureOf(call, dialect);
    for (const [index, operand] of call.operands.entries()) {
      const types = parameters[Math.min(index, parameters.length - 1)];
      if (types !== undefined) requireType(operand, types, call.name);
    }
    return result;
  };

  const infer = (expression: Expression): Type => {
    switch (expression.kind) {
      case 'literal':
        return literalType(expression.value);
      case 'property':
      case 'system':
        return 'string';
      case 'body':
        return 'dynamic';
      case 'shadowed':
        return typeOf(expression.hidden);
      case 'twin':
        return 'boolean';
      case 'unary': {
        const { takes, gives } = unary[expression.operator];
        requireType(expression.operand, takes, expression.operator);
        return gives;
      }
      case 'binary':
        return binary(expression, typeOf(expression.left), typeOf(expression.right));
      case 'call':
        return callType(expression);
    }
  };

  const typeOf = (expression: Expression): Type => {
    const type = infer(expression);
    facts.set(expression, type);
    return type;
  };

  requireType(condition, accepted, 'a condition');
  return facts;
}

function signatureOf(call: Call, dialect: Dialect): FunctionSignature {
  const functions = FUNCTIONS[dialect];
  const signature = functions.get(call.name);
  if (signature === undefined) {
    const name = { start: call.start, end: call.start + call.name.length };
    const nearest = closestName(call.name, [...functions.keys(), TWIN_CHANGE]);
    return refuse(name, `${call.name} is not a function`, { nearest });
  }
  const minCount = signature.parameters.length - signature.optional;
  const maxCount = signature.repeats ? Number.POSITIVE_INFINITY : signature.parameters.length;
  const given = call.operands.length;
  if (given < minCount || given > maxCount) refuse(call, countError(call.name, minCount, maxCount, given));
  return signature;
}
