import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Cache of downloads and compiled files, by the hash of their inputs. */
export const cache = join(root, 'node_modules', '.cache', 'skerry');
