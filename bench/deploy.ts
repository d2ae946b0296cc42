import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, print, printTable, ratiosOf } from './report.ts';

/*
 * Measures the duration of a deployment from the start of `skerry apply` until the last module is ready.
 * Compares with a script that only spawns the same modules, and with supervisord after a change of its
 * configuration. Also measures a second `skerry apply` without changes. Each round measures all of them in
 * turn. Prints the medians of the rounds.
 */
const ROUNDS = 5;
const SIZES = [1, 10, 30];
const LOOK = 1;

/** Command of a module. The module is ready when the command has created its file. */
const READY = ': > "ready/$0.$1"; exec sleep 1000';

type Subject = {
  readonly name: string;
  /** Deploys `modules` modules in the version `version`. Resolves when the command has finished. */
  readonly tell: (modules: number, version: number) => Promise<void>;
  /** Repeats the deployment without changes. Undefined if the peer has no such operation. */
  readonly again: (() => Promise<void>) | undefined;
  readonly close: () => Promise<void>;
};

const folder = mkdtempSync(join(tmpdir(), 'skerry-deploy-'));
const ready = join(folder, 'ready');
spawnSync('mkdir', [ready]);

function commandOf(module: number, version: number): string[] {
  return ['sh', '-c', READY, `m${module}`, String(version)];
}

/** Runs a program to its end. */
function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((done, fail) => {
    child.once('exit', code => (code === 0 ? done() : fail(new Error(`${program} ended with ${code}`))));
  });
}

async function skerryHub(): Promise<Subject> {
  const program = resolve(import.meta.dirname, '../dist/skerry');
  const data = join(folder, 'data');
  const hub = spawn(program, ['up', '--data', data], { stdio: ['ignore', 'ignore', 'pipe'] });
  await new Promise<void>(done => {
    hub.stderr.on('data', (chunk: Buffer) => chunk.includes('listens on') && done());
  });
  const file = join(folder, 'manifest.json');
  const apply = (...flags: readonly string[]) => run(program, ['apply', file, ...flags, '--data', data]);
  return {
    name: 'skerry apply',
    tell: (modules, version) => {
      const all = Array.from({ length: modules }, (_, module) => [
        `m${module}`,
        { exec: commandOf(module, version), io: 'lines' },
      ]);
      const deployment = { healthyFor: '0s', within: '1m' };
      const manifest = { name: 'bench', listeners: [], deployment, modules: Object.fromEntries(all) };
      writeFileSync(file, JSON.stringify(manifest));
      return apply('--no-wait');
    },
    again: async () => {
      await apply();
    },
    close: async () => {
      const exited = new Promise(done => hub.once('exit', done));
      hub.kill('SIGTERM');
      await exited;
    },
  };
}

/** Creates a script that only spawns the modules. It is started in the same way as `skerry apply`. */
function script(): Subject {
  const file = join(folder, 'spawn.mjs');
  const text = `import { spawn } from 'node:child_process';
const [modules, version] = process.argv.slice(2).map(Number);
for (let module = 0; module < modules; module += 1)
  spawn('sh', ['-c', ${JSON.stringify(READY)}, 'm' + module, String(version)], { stdio: ['pipe', 'pipe', 'pipe'] });
process.on('SIGTERM', () => process.exit());
`;
  writeFileSync(file, text);
  let child: ChildProcess | undefined;
  const close = async (): Promise<void> => {
    if (child === undefined) return;
    const exited = new Promise(done => child?.once('exit', done));
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    await exited;
    child = undefined;
  };
  return {
    name: 'node, spawn alone',
    tell: async (modules, version) => {
      const args = [file, String(modules), String(version)];
      child = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore', detached: true });
    },
    again: undefined,
    close,
  };
}

/** Starts supervisord, which stops and starts the programs whose configuration has changed. */
async function supervisord(): Promise<Subject | undefined> {
  if (spawnSync('supervisord', ['--version']).status !== 0) return undefined;
  const file = join(folder, 'supervisord.conf');
  const socket = join(folder, 'supervisord.sock');
  const write = (modules: number, version: number): void => {
    const programs = Array.from({ length: modules }, (_, module) => {
      const command = `sh -c ': > "ready/$0.$1"; exec sleep 1000' m${module} ${version}`;
      return `[program:m${module}]\ncommand=${command}\ndirectory=${folder}\nstartsecs=0\n`;
    });
    const head = `[supervisord]\nlogfile=${folder}/supervisord.log\npidfile=${folder}/supervisord.pid
[unix_http_server]\nfile=${socket}\n[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]\nserverurl=unix://${socket}\n`;
    writeFileSync(file, head + programs.join(''));
  };
  write(0, 0);
  const daemon = spawn('supervisord', ['-n', '-c', file], { stdio: 'ignore' });
  while (!readdirSync(folder).includes('supervisord.sock')) await sleep(20);
  const update = (): Promise<void> => {
    const { status } = spawnSync('supervisorctl', ['-c', file, 'update'], { stdio: 'ignore' });
    return status === 0 ? Promise.resolve() : Promise.reject(new Error(`supervisorctl ended with ${status}`));
  };
  return {
    name: 'supervisorctl update',
    tell: async (modules, version) => {
      write(modules, version);
      const child = spawn('supervisorctl', ['-c', file, 'update'], { stdio: 'ignore' });
      await new Promise(done => child.once('exit', done));
    },
    again: update,
    close: async () => {
      const exited = new Promise(done => daemon.once('exit', done));
      daemon.kill('SIGTERM');
      await exited;
    },
  };
}

/** Returns the milliseconds from the start of a deployment until `modules` files exist. */
async function timed(subject: Subject, modules: number, version: number): Promise<number> {
  for (const name of readdirSync(ready)) unlinkSync(join(ready, name));
  const began = performance.now();
  const finished = subject.tell(modules, version);
  while (readdirSync(ready).length < modules) await sleep(LOOK);
  const took = performance.now() - began;
  await finished;
  return took;
}

const others = await supervisord();
const subjects = [await skerryHub(), script(), ...(others === undefined ? [] : [others])];
if (others === undefined) print('supervisord is not installed and is skipped.\n');
const rows: string[][] = [];
const ratios: string[] = [];
let version = 0;
for (const modules of SIZES) {
  const took = subjects.map((): number[] => []);
  const unchanged = subjects.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, subject] of subjects.entries()) {
      // Each deployment starts from nothing. The stop of the previous one is not measured.
      if (subject.again === undefined) await subject.close();
      else await subject.tell(0, 0);
      await sleep(200);
      version += 1;
      took[index]?.push(await timed(subject, modules, version));
      if (subject.again === undefined) continue;
      await sleep(200);
      const began = performance.now();
      await subject.again();
      unchanged[index]?.push(performance.now() - began);
    }
  }
  for (const [index, { name }] of subjects.entries()) {
    const [all, nothing] = [took[index] ?? [], unchanged[index] ?? []];
    const none = nothing.length === 0 ? '' : median(nothing).toFixed(0);
    rows.push([`${name}, ${modules}`, median(all).toFixed(0), none]);
    if (index === 0) continue;
    const ratio = median(ratiosOf(took[0] ?? [], all)).toFixed(2);
    ratios.push(`skerry : ${name}, ${modules} module${modules === 1 ? '' : 's'}`.padEnd(50) + ratio);
  }
}
for (const subject of subjects) await subject.close();
rmSync(folder, { recursive: true });
print(
  `From telling it to the last of so many modules being ready, and with nothing to change, ms, ${ROUNDS} rounds:\n`,
);
printTable(['', 'ready', 'no change'], rows);
for (const ratio of ratios) print(ratio);
