/* Bounds of log lines. */

/** UTF-16 units of a sentence in the log, of a quotation in it, and of a field: longer ones are cut. */
export const MAX_LOG_SENTENCE = 1_024;
export const MAX_LOG_QUOTE = 200;
export const MAX_LOG_VALUE = 256;

/** Lines of one kind, and of all kinds, that are logged at once, and that may follow each second. */
export const LOG_KIND_BURST = 100;
export const LOG_KIND_RATE = 1;
export const LOG_BURST = 2_000;
export const LOG_RATE = 100;

/** Kinds of lines that are counted, some 300 bytes each; the oldest are forgotten first. */
export const MAX_LOG_KINDS = 512;

/** Milliseconds after which the lines that were suppressed are reported by their number. */
export const LOG_REPORT_MS = 10_000;
