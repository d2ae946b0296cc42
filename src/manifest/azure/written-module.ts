import type { ManifestInput } from '../schema/schema.ts';

/** Modules of a manifest as written in a file, by name. */
export type WrittenModules = NonNullable<ManifestInput['modules']>;

export type WrittenModule = WrittenModules[string];
