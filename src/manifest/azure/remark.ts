/**
 * Remark about a setting that could not be converted, or that needs a value which the deployment does not
 * contain.
 */
export type Remark = {
  /** Path of the setting in the deployment, or of the field in the manifest that has a placeholder. */
  readonly path: string;
  /** Reason and cure. Completes a sentence that begins with the path. */
  readonly sentence: string;
};

export type AddRemark = (path: string, sentence: string) => void;

/** Maximum characters of a value that are shown in a remark. */
const MAX_SHOWN = 200;

/** Formats a value of the deployment for a remark. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}
