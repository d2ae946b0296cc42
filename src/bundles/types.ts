import type { Failure } from '../core/errors.ts';

/** Where the bytes of a file are: a file of this machine, or a part of one, such as of a pack. */
export type LocalSource = {
  readonly path: string;
  /** Bytes; where it is left out, the whole file. */
  readonly part?: { readonly offset: number; readonly size: number } | undefined;
};

/** Or an address that begins with `https://`. */
export type Source = LocalSource | { readonly url: string };

/** A file that is wanted, known by the SHA-256 of its bytes. */
export type Wanted = {
  /** What errors call it, such as `modules.camera.bundle`. */
  readonly subject: string;
  readonly sha256: string;
  readonly source: Source;
};

/** An archive that is wanted, and bytes and number of what it may hold. */
export type WantedBundle = Wanted & { readonly size: number; readonly files: number };

/** Makes the failure that says what is wrong with an archive: `complaint` follows its name. */
export type Refuse = (complaint: string) => Failure;
