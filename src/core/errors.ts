/**
 * Codes of all failures, each with the exit code of a command that ends with this failure: 1 if the command
 * failed, 2 if its usage or input is wrong.
 */
const EXIT_CODES = {
  usage: 2,
  'manifest.missing': 2,
  'manifest.syntax': 2,
  'manifest.field': 2,
  'manifest.other-device': 2,
  'import.foreign': 2,
  'import.unwritten': 1,
  'file.exists': 2,
  'route.syntax': 2,
  'key.unreadable': 2,
  'key.damaged': 2,
  'key.exposed': 2,
  'key.exists': 2,
  'key.unwritable': 1,
  'key.too-many': 2,
  'signature.missing': 2,
  'signature.unknown-key': 2,
  'signature.old': 2,
  'signature.wrong': 2,
  'signature.impossible': 2,
  'secret.unopened': 2,
  'data.unreadable': 1,
  'data.unwritable': 1,
  'data.locked': 1,
  'listener.in-use': 1,
  'listener.refused': 1,
  'native.unloadable': 1,
  'store.full': 1,
  'store.unreadable': 1,
  'store.newer': 1,
  'store.older': 1,
  'store.damaged': 1,
  'store.write': 1,
  'letter.unknown': 1,
  'letter.damaged': 1,
  'queue.unknown': 1,
  'session.unknown': 1,
  'client.unknown': 1,
  'entry.unknown': 1,
  'update.binary': 2,
  'update.failed': 1,
  'update.state': 1,
  'update.unwritable': 1,
  'hub.unreachable': 1,
  'hub.refused': 1,
  'module.unknown': 1,
  'module.exec': 1,
  'line.refused': 1,
  'deployment.lost': 1,
  'deployment.unhealthy': 1,
  'deployment.superseded': 1,
  'bundle.missing': 2,
  'bundle.hash': 2,
  'bundle.refused': 2,
  'bundle.unreachable': 1,
  'bundle.space': 1,
  'bundle.write': 1,
  'pack.refused': 2,
  'pack.write': 1,
  'provision.input': 2,
  'provision.write': 1,
  'upstream.unreachable': 1,
  'upstream.refused': 1,
} as const;

export type FailureCode = keyof typeof EXIT_CODES;

/** True if `code` is the code of a failure in this version. */
export function isFailureCode(code: string): code is FailureCode {
  return Object.hasOwn(EXIT_CODES, code);
}

/** Codes of all failures. docs/reference/errors.md describes cause and remedy of each. */
export const FAILURE_CODES: readonly FailureCode[] = Object.keys(EXIT_CODES).filter(isFailureCode);

/**
 * Error with a sentence for the operator: what failed, and how to fix it. Tests check the code, not the
 * sentence.
 */
export class Failure extends Error {
  readonly code: FailureCode;

  constructor(code: FailureCode, sentence: string) {
    super(sentence);
    this.name = 'Failure';
    this.code = code;
  }

  get exitCode(): 1 | 2 {
    return EXIT_CODES[this.code];
  }
}

/** Returns the error message of a thrown value. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/**
 * Returns the system's error code of a thrown value, such as `ENOENT`. Undefined if the value has no code.
 */
export function systemCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** True if a write failed because the disk, or the quota of the user, is full. */
export function isDiskFull(thrown: unknown): boolean {
  const code = systemCode(thrown);
  return code === 'ENOSPC' || code === 'EDQUOT';
}
