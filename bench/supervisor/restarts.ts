import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Supervisor with one module that is killed repeatedly. */
export type Keeper = {
  readonly name: string;
  /** Kills the module. Resolves to the milliseconds until the next process of the module reports its pid. */
  readonly crash: () => Promise<number>;
  readonly close: () => Promise<void>;
};

const skerry = resolve(import.meta.dirname, '../../dist/skerry');

type Begin = (folder: string, program: string) => ChildProcess;

/**
 * Functions that start a supervisor with a program, by name. All supervisors are configured to regard a
 * program as stable after it has run for one second.
 */
const KEEPERS: Readonly<Record<string, Begin>> = {
  skerry: (folder, program) => {
    const module = { exec: [program], backoff: { resetSeconds: 1 } };
    const manifest = { name: 'bench', listeners: [{ mqtt: '127.0.0.1:0' }], modules: { m: module } };
    writeFileSync(join(folder, 'm.json'), JSON.stringify(manifest));
    return start(skerry, ['up', join(folder, 'm.json'), '--data', join(folder, 'data')]);
  },
  runit: (folder, program) => {
    mkdirSync(join(folder, 'service'));
    writeFileSync(join(folder, 'service/run'), `#!/bin/sh\nexec ${program}\n`, { mode: 0o755 });
    return start('runsv', [join(folder, 'service')]);
  },
  supervisord: (folder, program) => {
    const text = `[supervisord]\nnodaemon=true\nlogfile=${folder}/log\npidfile=${folder}/pid\nuser=root\n
[program:m]\ncommand=${program}\nautorestart=true\nstartsecs=1\n`;
    writeFileSync(join(folder, 'supervisord.conf'), text);
    return start('supervisord', ['-c', join(folder, 'supervisord.conf')]);
  },
};

export const KEEPER_NAMES: readonly string[] = Object.keys(KEEPERS);

export async function keeperOf(name: string): Promise<Keeper> {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-restarts-'));
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const output = new Socket({ fd: openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK), writable: false });
  const program = join(folder, 'program');
  writeFileSync(program, `#!/bin/sh\necho $$ >${fifo}\nexec sleep 1000\n`, { mode: 0o755 });
  const begin = KEEPERS[name];
  if (begin === undefined) throw new Error(`There is no ${name}`);
  const keeper = begin(folder, program);
  let pid = await nextPid(output);
  return {
    name,
    crash: async () => {
      const next = nextPid(output);
      const began = performance.now();
      process.kill(pid, 'SIGKILL');
      pid = await next;
      return performance.now() - began;
    },
    close: async () => {
      keeper.kill('SIGTERM');
      await once(keeper, 'exit');
      output.destroy();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function start(program: string, parameters: readonly string[]): ChildProcess {
  return spawn(program, parameters, { stdio: 'ignore' });
}

async function nextPid(output: Socket): Promise<number> {
  const [data] = await once(output, 'data');
  return Number(data);
}
