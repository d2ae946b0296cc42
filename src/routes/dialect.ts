/**
 * Dialect of routes. `azure` is for imported manifests and behaves exactly like Azure IoT Edge. `skerry` is
 * the same language without the pitfalls of Azure IoT Edge. docs/reference/routes.md lists the differences.
 */
export type Dialect = 'skerry' | 'azure';

export const DIALECTS: readonly Dialect[] = ['skerry', 'azure'];
