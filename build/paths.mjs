import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname ?? new URL('..', import.meta.url).pathname, '..');

/** What is fetched or compiled once, by the hash of what it comes from. */
export const cache = join(root, 'node_modules', '.cache', 'skerry');
