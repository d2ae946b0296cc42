/* Bounds of log lines. */

/** Maximum UTF-16 units of a sentence in the log. A longer sentence is truncated. */
export const MAX_LOG_SENTENCE = 1_024;

/** Maximum UTF-16 units of a quotation in a sentence. A longer quotation is truncated. */
export const MAX_LOG_QUOTE = 200;

/** Maximum UTF-16 units of the value of a field. A longer value is truncated. */
export const MAX_LOG_VALUE = 256;

/**
 * Maximum number of lines of one kind (lines that differ only in numbers and quotations) that are logged in a
 * burst.
 */
export const LOG_KIND_BURST = 100;

/** Maximum number of lines of one kind per second after a burst. */
export const LOG_KIND_RATE = 1;

/** Maximum number of lines of all kinds that are logged in a burst. */
export const LOG_BURST = 2_000;

/** Maximum number of lines of all kinds per second after a burst. */
export const LOG_RATE = 100;

/**
 * Maximum number of kinds of lines that are counted, about 300 bytes each. The oldest kinds are deleted
 * first.
 */
export const MAX_LOG_KINDS = 512;

/** Milliseconds between the first suppressed line and the line with the number of suppressed lines. */
export const LOG_REPORT_MS = 10_000;
