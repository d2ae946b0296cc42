import { arithmetic, joining, minus } from './arithmetic.ts';
import { bodyValue } from './body.ts';
import { coalescing } from './coalescing.ts';
import { equality, ordering } from './comparison.ts';
import { FUNCTIONS } from './functions.ts';
import { conjunction, disjunction, negation } from './logic.ts';
import type { BinaryOperator, Expression } from './tree.ts';
import { type Compiled, constantOf, propertyOf } from './values.ts';

type Build = (left: Compiled, right: Compiled) => Compiled;

const BINARY: Readonly<Record<BinaryOperator, Build>> = {
  '??': coalescing,
  OR: disjunction,
  AND: conjunction,
  '=': (left, right) => equality(true, left, right),
  '!=': (left, right) => equality(false, left, right),
  '<': (left, right) => ordering('<', left, right),
  '<=': (left, right) => ordering('<=', left, right),
  '>': (left, right) => ordering('>', left, right),
  '>=': (left, right) => ordering('>=', left, right),
  '+': arithmetic((left, right) => left + right),
  '-': arithmetic((left, right) => left - right),
  '*': arithmetic((left, right) => left * right),
  '/': arithmetic((left, right) => left / right),
  '%': arithmetic((left, right) => left % right),
  '||': (left, right) => joining([left, right]),
};

/** The function of a checked condition or a part of one. What does not depend on the message is computed here. */
export function compileExpression(expression: Expression): Compiled {
  switch (expression.kind) {
    case 'literal':
      return constantOf(expression.value);
    case 'property': {
      const { name } = expression;
      return propertyOf(subject => subject.property(name));
    }
    case 'system': {
      const { name } = expression;
      return propertyOf(subject => subject.system(name));
    }
    case 'body':
      return bodyValue(expression.path);
    case 'unary': {
      const operand = compileExpression(expression.operand);
      return expression.operator === 'NOT' ? negation(operand) : minus(operand);
    }
    case 'binary':
      return BINARY[expression.operator](
        compileExpression(expression.left),
        compileExpression(expression.right),
      );
    case 'call': {
      const operands = expression.operands.map(compileExpression);
      // The check has refused unknown functions.
      return FUNCTIONS.get(expression.name)?.build(operands) ?? constantOf(undefined);
    }
  }
}
