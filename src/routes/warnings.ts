import type { Checked } from './code/condition.ts';
import { childrenOf } from './code/identities.ts';
import type { Known, Part } from './code/semantics.ts';
import { type Diagnostic, diagnosticOf, RouteError } from './diagnostics.ts';
import { printExpression } from './printer.ts';
import type { Expression, TextSpan } from './tree.ts';

/** Maximum characters of a part of a condition that are shown in a warning. */
const MAX_REPEATED = 40;

/** Returns warnings about ignored text after the sink. */
export function warningsOfRest(text: string, ignored: TextSpan | undefined): readonly Diagnostic[] {
  if (ignored === undefined) return [];
  const sentence = 'text after the sink is ignored in the azure dialect; a condition goes before INTO';
  return [warning(text, ignored, sentence)];
}

/** Returns warnings about parts of a condition that have the same value for every message. */
export function warningsOfParts(
  text: string,
  checked: Checked | undefined,
  partOf: ((part: Expression) => Part) | undefined,
): readonly Diagnostic[] {
  if (checked === undefined || partOf === undefined) return [];
  const warnings: Diagnostic[] = [];
  const look = (part: Expression): void => {
    const { type, known } = partOf(part);
    const whole = part === checked.condition;
    const truth = known !== undefined && (whole || (type === 'boolean' && part.kind !== 'literal'));
    if (truth) warnings.push(warning(text, part, sentenceOf(part, known, whole, checked)));
    else for (const child of childrenOf(part)) look(child);
  };
  look(checked.condition);
  return warnings;
}

function warning(text: string, span: TextSpan, sentence: string): Diagnostic {
  return diagnosticOf(text, new RouteError(span, sentence, {}));
}

function sentenceOf(part: Expression, { value }: Known, whole: boolean, { dialect }: Checked): string {
  const always = value === true ? 'always true' : 'never true';
  if (whole) {
    const advice = value === true ? 'omit WHERE' : 'no message matches this route';
    return `this condition is ${always}: ${advice}`;
  }
  const text = printExpression(part, dialect);
  const shown = text.length <= MAX_REPEATED ? text : `${text.slice(0, MAX_REPEATED)}…`;
  return `${shown} is ${always} for every message`;
}
