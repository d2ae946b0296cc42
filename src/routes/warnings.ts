import type { Checked } from './code/condition.ts';
import { childrenOf } from './code/identities.ts';
import type { Known, Part } from './code/semantics.ts';
import { type Diagnostic, diagnosticOf, RouteError } from './diagnostics.ts';
import { printExpression } from './printer.ts';
import type { Expression, Span } from './tree.ts';

/** Characters of a part that a sentence repeats. */
const MAX_REPEATED = 40;

/** What stands unread behind the sink. */
export function warningsOfRest(text: string, ignored: Span | undefined): readonly Diagnostic[] {
  if (ignored === undefined) return [];
  const sentence =
    'what stands behind the sink is ignored in the azure dialect; a condition stands before INTO';
  return [warning(text, ignored, sentence)];
}

/** Parts of a condition that are the same for every message: allowed, and yet hardly meant. */
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

function warning(text: string, span: Span, sentence: string): Diagnostic {
  return diagnosticOf(text, new RouteError(span, sentence, {}));
}

function sentenceOf(part: Expression, { value }: Known, whole: boolean, { dialect }: Checked): string {
  const always = value === true ? 'always true' : 'never true';
  if (whole) {
    const advice = value === true ? 'leave WHERE out' : 'no message takes this route';
    return `this condition is ${always}: ${advice}`;
  }
  const text = printExpression(part, dialect);
  const shown = text.length <= MAX_REPEATED ? text : `${text.slice(0, MAX_REPEATED)}…`;
  return `${shown} is ${always}, whatever the message`;
}
