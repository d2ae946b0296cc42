/**
 * Route dialect. `azure`: as Azure IoT Edge reads it, including its quirks, for imported manifests. `skerry`:
 * the same language without its pitfalls. docs/reference/routes.md lists the differences.
 */
export type Dialect = 'skerry' | 'azure';

export const DIALECTS: readonly Dialect[] = ['skerry', 'azure'];
