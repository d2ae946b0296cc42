const args = process.argv.slice(2);
const [word, ...rest] = args;

/*
 * The binary holds two programs, each with its own copy of the code that both need, so that a running hub
 * keeps no code of the other commands in memory. The help of `up` is in the program of the commands.
 */
if (word === 'up' && !rest.some(one => one === '--help' || one === '-h'))
  void import('./cli/main-up.ts').then(program => program.main(rest));
else void import('./cli/main-commands.ts').then(program => program.main(args));
