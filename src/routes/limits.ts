/* Bounds of routes and of their compiled conditions. */

/** Brackets, function calls, NOT and minus within each other in a condition: each costs stack. */
export const MAX_NESTING = 64;

/** Operands and operators of one condition: bounds the height of its tree, and with it the stack. */
export const MAX_PARTS = 1000;

/** Operands and operators of the conditions that become one function: a larger one is never compiled well. */
export const MAX_FUSED_PARTS = 1000;

/** UTF-16 units of a joined string: a short route could else repeat a long body until the memory is gone. */
export const MAX_JOINED = 1 << 20;

/** Kinds of message whose routes are remembered; then all are forgotten and found again as they come. */
export const MAX_PLANS = 1024;

/** UTF-16 units of a topic whose routes are remembered: bounds what senders of odd topics can take. */
export const MAX_CACHED_TOPIC_LENGTH = 256;
