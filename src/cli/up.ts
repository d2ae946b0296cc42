import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { startHub } from '../hub/hub.ts';
import { standardErrorLog, systemClock, systemRandom } from './edge.ts';
import { dataFolder, flagsOf, usageFailure } from './flags.ts';

export const usage = 'skerry up [manifest] [--data DIR]';

/** Runs a hub in the foreground until SIGINT or SIGTERM. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = flagsOf(args, { data: { type: 'string' } }, usage);
  const [file, ...more] = positionals;
  if (more.length > 0) throw usageFailure('Name one manifest', usage);
  const stopped = stopRequest();
  const hub = await startHub({
    file: file === undefined ? undefined : resolve(file),
    dataFolder: dataFolder(values.data),
    clock: systemClock,
    random: systemRandom,
    logSink: standardErrorLog,
  });
  // Garbage is collected early, and code is compiled by one compiler and not by two, so that a hub under load stays
  // small. From the start on, the first would cost the runtime its own code cache, and 15 ms.
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--no-maglev');
  const signal = await stopped;
  standardErrorLog('info', 'hub', `${signal}: stopping.`);
  await hub.stop();
  return 0;
}

/** The first of the signals that ask a program to end; further ones change nothing: stopping is bounded. */
function stopRequest(): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, resolve);
  });
}
