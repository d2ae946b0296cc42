/** Least bytes of memory that a module may be bounded to: no program starts in less. */
export const MIN_MODULE_MEMORY = 1 << 20;

/** Bytes of a module's desired properties as JSON, and objects and lists within each other: Azure takes 32 KB and 10. */
export const MAX_DESIRED_BYTES = 1 << 15;
export const MAX_DESIRED_NESTING = 16;

/** Start orders of modules, up and down: those of Azure IoT Edge are up to 4294967295, and one may follow the last. */
export const MAX_STARTUP_ORDER = 2 ** 32;
