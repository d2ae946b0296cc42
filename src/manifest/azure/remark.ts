/** Something that could not be carried over, or stands for what Azure does not say: where, and what to do. */
export type Remark = {
  /** In the deployment, or of a field of the manifest that was made up. */
  readonly path: string;
  readonly sentence: string;
};

export type Tell = (path: string, sentence: string) => void;

/** UTF-16 units of a value that are shown. */
const MAX_SHOWN = 200;

/** A value of the deployment as it is shown in a sentence. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}
