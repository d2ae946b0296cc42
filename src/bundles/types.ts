import type { Failure } from '../core/errors.ts';

/** Local file, or a part of one, such as of a pack. */
export type LocalSource = {
  readonly path: string;
  /** Range in bytes; the whole file if undefined. */
  readonly part?: { readonly offset: number; readonly size: number } | undefined;
};

/** Local file, or a URL that starts with `https://`. */
export type ArtifactSource = LocalSource | { readonly url: string };

/** File to fetch, identified by the SHA-256 of its content. */
export type WantedFile = {
  /** Name in errors, such as `modules.camera.bundle`. */
  readonly subject: string;
  readonly sha256: string;
  readonly source: ArtifactSource;
};

/** Archive to fetch, with the most bytes and entries that it may hold. */
export type WantedBundle = WantedFile & { readonly size: number; readonly files: number };

/** Creates the Failure for a bad archive; `complaint` follows its name in the sentence. */
export type Refuse = (complaint: string) => Failure;
