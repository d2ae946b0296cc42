/**
 * Dialect of routes. `azure` behaves exactly like Azure IoT Edge, for imported manifests. `skerry` is the
 * same language without its pitfalls. docs/reference/routes.md lists the differences.
 */
export type Dialect = 'skerry' | 'azure';

export const DIALECTS: readonly Dialect[] = ['skerry', 'azure'];
