import { conclude, perform } from './cli/conclude.ts';

const args = process.argv.slice(2);
const [word, ...rest] = args;

/*
 * What is no hub is another program within the binary, with its own copy of what both need: a hub neither reads it nor
 * keeps it in memory.
 */
if (word === 'up') conclude(import('./cli/up.ts').then(up => perform(up, rest)));
else void import('./cli/other.ts').then(other => other.conclude(args));
