/* Bounds of archives, downloads and packs. */

/** Bounds of archives and of how they are fetched, as `limits.ts` has all others. */

/** Bytes of an archive beyond its files: for each file its headers and its padding, and the end of the archive. */
export const ARCHIVE_ENTRY_BYTES = 1 << 12;
export const ARCHIVE_END_BYTES = 1 << 20;

/** Bytes that are read from an archive, and written, at once. */
export const ARCHIVE_PIECE_BYTES = 1 << 16;

/** Bytes of what an archive says of one entry beyond its header, such as a long name, and how often it may do so. */
export const MAX_EXTENSION_BYTES = 1 << 16;
export const MAX_EXTENSIONS = 8;

/** Bytes of a name in a bundle, of one part of it (the file system's bound), and of all of one bundle's: they are in memory. */
export const MAX_BUNDLE_NAME_BYTES = 1_024;
export const MAX_BUNDLE_PART_BYTES = 255;
export const MAX_BUNDLE_NAMES_BYTES = 16 << 20;

/** Steps of following one link in a bundle through others: the kernel gives up after 40 links. */
export const MAX_LINK_STEPS = 256;

/** The power of two of the bytes that unpacking zstd may hold, 8 MB: what its levels up to 19 ask for. */
export const MAX_ZSTD_WINDOW_LOG = 23;

/** Bytes of disk that bundles leave free: the store's reserve, and some room for its messages and for logs. */
export const BUNDLE_DISK_RESERVE_BYTES = 16 << 20;

/** Milliseconds of silence after which a download is begun again where it was. */
export const DOWNLOAD_IDLE_TIMEOUT_MS = 30_000;

/** Tries in a row of a download that bring less than so many bytes, and milliseconds between them, first and most. */
export const MAX_DOWNLOAD_TRIES = 10;
export const MIN_DOWNLOAD_PROGRESS_BYTES = 1 << 16;
export const INITIAL_DOWNLOAD_WAIT_MS = 1_000;
export const MAX_DOWNLOAD_WAIT_MS = 60_000;

/** Redirects that one download follows: a release page and a store behind it need two. */
export const MAX_REDIRECTS = 5;

/** Downloads that are kept half done over a start: those of one deployment that a power cut met. */
export const MAX_KEPT_DOWNLOADS = 4;

/** Files of one pack: a bundle for each module, and hubs for two architectures. */
export const MAX_PACK_FILES = 1_024;
