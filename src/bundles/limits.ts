/* Bounds of archives and downloads. */

/** Maximum bytes of the headers and padding of one archive entry. */
export const ARCHIVE_ENTRY_BYTES = 1 << 12;

/** Maximum bytes of the end marker of an archive with its padding. */
export const ARCHIVE_END_BYTES = 1 << 20;

/** Bytes of one read or write of an archive. */
export const ARCHIVE_PIECE_BYTES = 1 << 16;

/** Maximum bytes of an extended header, such as a long name. */
export const MAX_EXTENSION_BYTES = 1 << 16;

/** Maximum number of extended headers of one entry. */
export const MAX_EXTENSIONS = 8;

/** Maximum bytes of a path in a bundle. */
export const MAX_BUNDLE_NAME_BYTES = 1_024;

/** Maximum bytes of one name in a path. File systems have the same limit. */
export const MAX_BUNDLE_PART_BYTES = 255;

/** Maximum bytes of all paths of a bundle together. All paths are in memory while the archive is read. */
export const MAX_BUNDLE_NAMES_BYTES = 16 << 20;

/** Maximum number of steps to resolve a symbolic link in a bundle. The kernel stops after 40 links. */
export const MAX_LINK_STEPS = 256;

/** Binary logarithm of the maximum zstd window: 8 MB, enough for compression levels up to 19. */
export const ZSTD_WINDOW_POWER = 23;

/** Bytes of disk space that bundles must leave free for the store and for logs. */
export const BUNDLE_DISK_RESERVE = 16 << 20;

/** Milliseconds without data after which a download is interrupted and resumed. */
export const DOWNLOAD_TIMEOUT_MS = 30_000;

/** Maximum number of consecutive download attempts that make no progress. */
export const MAX_DOWNLOAD_TRIES = 10;

/** Minimum number of bytes that count as progress of an attempt. */
export const DOWNLOAD_PROGRESS_BYTES = 1 << 16;

/** Milliseconds of back-off after the first failed attempt. */
export const INITIAL_DOWNLOAD_BACKOFF_MS = 1_000;

/** Maximum milliseconds of back-off between two attempts. */
export const MAX_DOWNLOAD_BACKOFF_MS = 60_000;

/** Maximum number of redirects of a download. A release page and the file server behind it need two. */
export const MAX_REDIRECTS = 5;

/**
 * Maximum number of partial downloads that the hub keeps at its start, to resume them after a power failure.
 */
export const MAX_KEPT_DOWNLOADS = 4;

/** Maximum number of files in a pack: a bundle per module, and binaries of the hub for two architectures. */
export const MAX_PACK_FILES = 1_024;
