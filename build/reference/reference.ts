import { writeFileSync } from 'node:fs';
import { markdown } from '../../src/cli/reference/formats/markdown.ts';

/* Writes docs/reference/cli.md. */
writeFileSync(new URL('../../docs/reference/cli.md', import.meta.url), markdown());
