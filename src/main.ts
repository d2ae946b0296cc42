const args = process.argv.slice(2);
const [word, ...rest] = args;

/*
 * Two programs within the binary, each with its own copy of what both need: a hub neither reads the other nor keeps it
 * in memory. The texts of `up` are in the other.
 */
if (word === 'up' && !rest.some(one => one === '--help' || one === '-h'))
  void import('./cli/hub.ts').then(hub => hub.conclude(rest));
else void import('./cli/other.ts').then(other => other.conclude(args));
