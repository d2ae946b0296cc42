/**
 * Remark for the user about a setting that the import could not convert, or whose value is not in the
 * deployment.
 */
export type Remark = {
  /** Path of the setting in the deployment, or path of the manifest field that contains a placeholder. */
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
