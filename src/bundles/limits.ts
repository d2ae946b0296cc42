/* Bounds of archives and downloads. */

/** Bytes of the headers and padding of one entry. */
export const ARCHIVE_ENTRY_BYTES = 1 << 12;

/** Bytes of the end of an archive. */
export const ARCHIVE_END_BYTES = 1 << 20;

/** Bytes per read and write of an archive. */
export const ARCHIVE_PIECE_BYTES = 1 << 16;

/** Bytes of one extended header, such as a long name. */
export const MAX_EXTENSION_BYTES = 1 << 16;

/** Extended headers of one entry. */
export const MAX_EXTENSIONS = 8;

/** Bytes of a path in a bundle. */
export const MAX_BUNDLE_NAME_BYTES = 1_024;

/** Bytes of one part of a path: the bound of file systems. */
export const MAX_BUNDLE_PART_BYTES = 255;

/** Bytes of all paths of a bundle, which are held in memory. */
export const MAX_BUNDLE_NAMES_BYTES = 16 << 20;

/** Steps of resolving one symbolic link in a bundle; the kernel stops after 40 links. */
export const MAX_LINK_STEPS = 256;

/** Binary logarithm of the zstd window, 8 MB: enough for its levels up to 19. */
export const ZSTD_WINDOW_POWER = 23;

/** Bytes of disk space that bundles leave free for the store and logs. */
export const BUNDLE_DISK_RESERVE = 16 << 20;

/** Milliseconds without data after which a download is resumed. */
export const DOWNLOAD_TIMEOUT_MS = 30_000;

/** Consecutive tries of a download without progress. */
export const MAX_DOWNLOAD_TRIES = 10;

/** Bytes that count as progress of a try. */
export const DOWNLOAD_PROGRESS_BYTES = 1 << 16;

/** Milliseconds of back-off between two tries: initial and maximum. */
export const INITIAL_DOWNLOAD_BACKOFF_MS = 1_000;
export const MAX_DOWNLOAD_BACKOFF_MS = 60_000;

/** Redirects of one download; a release page and the store behind it need two. */
export const MAX_REDIRECTS = 5;

/** Partial downloads that are kept over a start, after a power cut during a deployment. */
export const MAX_KEPT_DOWNLOADS = 4;

/** Files of one pack: a bundle per module, and hub binaries for two architectures. */
export const MAX_PACK_FILES = 1_024;
