/* Bounds of routes and of their compiled conditions. */

/** Maximum nesting depth of brackets, function calls, NOT and minus in a condition. Each level uses stack. */
export const MAX_NESTING = 64;

/**
 * Maximum number of operands and operators of a condition. Limits the height of the condition's syntax tree,
 * and therefore the use of the stack.
 */
export const MAX_PARTS = 1000;

/**
 * Maximum number of operands and operators that are compiled to one function. The JIT compiler does not
 * optimize larger functions.
 */
export const MAX_FUSED_PARTS = 1000;

/**
 * Maximum UTF-16 units of a joined string. Without a maximum, a short route could repeat a long body until
 * the memory is full.
 */
export const MAX_JOINED = 1 << 20;

/** Maximum number of cached combinations of source and topic. A full cache is cleared. */
export const MAX_PLANS = 1024;

/** Maximum UTF-16 units of a topic that is cached. Bounds the memory that a sender of long topics can use. */
export const MAX_CACHED_TOPIC_LENGTH = 256;
