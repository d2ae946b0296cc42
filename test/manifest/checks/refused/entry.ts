/**
 * Refused manifest: its fields besides the name, or its whole text, and the expected sentence without the
 * file.
 */
export type Refused = {
  readonly fields: object | string;
  readonly sentence: string;
  /** True if JSON Schema cannot express the rule. */
  readonly beyondSchema?: true;
};

export function refused(fields: object | string, sentence: string): Refused {
  return { fields, sentence };
}

export function beyondSchema(fields: object | string, sentence: string): Refused {
  return { fields, sentence, beyondSchema: true };
}

export const exec: readonly string[] = ['./m'];
export const sha256: string = 'a'.repeat(64);
