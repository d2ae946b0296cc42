import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** What is fetched or compiled once, by the hash of what it comes from. */
export const cache = join(root, 'node_modules', '.cache', 'skerry');
