import { writeFileSync } from 'node:fs';
import { markdown } from '../src/cli/reference/markdown.ts';

/* Writes docs/cli.md. */
writeFileSync(new URL('../docs/cli.md', import.meta.url), markdown());
