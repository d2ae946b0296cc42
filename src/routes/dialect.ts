/**
 * Two ways to read a route. `azure`: as Azure IoT Edge's hub reads it, oddities included, for imported manifests.
 * `skerry`: the same language without its traps. docs/reference/routes.md lists the differences.
 */
export type Dialect = 'skerry' | 'azure';

export const DIALECTS: readonly Dialect[] = ['skerry', 'azure'];
