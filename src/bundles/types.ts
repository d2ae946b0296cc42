import type { Failure } from '../core/errors.ts';

/** Local file, or a part of a local file, such as a file in a pack. */
export type LocalSource = {
  readonly path: string;
  /** Range of the part in bytes. Undefined for the whole file. */
  readonly part?: { readonly offset: number; readonly size: number } | undefined;
};

/** Local file, or a URL that starts with `https://`. */
export type ArtifactSource = LocalSource | { readonly url: string };

/** File to fetch. The SHA-256 of the content identifies the file. */
export type WantedFile = {
  /** Name in errors, such as `modules.camera.bundle`. */
  readonly subject: string;
  readonly sha256: string;
  readonly source: ArtifactSource;
};

/** Archive to fetch, with the maximum bytes and number of entries of its content. */
export type WantedBundle = WantedFile & { readonly size: number; readonly files: number };

/**
 * Function that creates the Failure for a bad archive. `complaint` follows the name of the archive in the
 * sentence.
 */
export type Refuse = (complaint: string) => Failure;
