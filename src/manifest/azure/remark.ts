/**
 * Remark about something that could not be converted or needs a value that Azure does not store: where, and
 * what to do.
 */
export type Remark = {
  /** Path in the deployment, or of a placeholder field in the manifest. */
  readonly path: string;
  readonly sentence: string;
};

export type AddRemark = (path: string, sentence: string) => void;

/** Maximum UTF-16 units shown of a value. */
const MAX_SHOWN = 200;

/** Formats a value of the deployment for a remark. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}
