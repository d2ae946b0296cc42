import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logFor } from '../../src/core/log.ts';
import type { ModuleSpec } from '../../src/supervisor/spec.ts';
import { createSupervisor } from '../../src/supervisor/supervisor.ts';
import { createRealClock, shellModule } from '../../test/harness/supervisor.ts';

/**
 * Function that starts a module, waits for its first line, and stops the module. Resolves to the milliseconds
 * from the start to the first line.
 */
export type Starter = () => Promise<number>;

export type Subject = { readonly name: string; readonly start: Starter; readonly close: () => Promise<void> };

/** Program of a module: a shell that prints a line and then waits. */
const SCRIPT = 'echo up; exec sleep 1000';

/** Creates a subject that only calls `child_process.spawn`. */
export function bareSpawn(): Subject {
  const start = async (): Promise<number> => {
    const began = performance.now();
    const child = spawn('sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    await once(child.stdout, 'data');
    const took = performance.now() - began;
    child.kill('SIGKILL');
    await once(child, 'close');
    return took;
  };
  return { name: 'child_process.spawn', start, close: async () => {} };
}

/** Creates a subject that runs the supervisor in this process, with a module that has the settings `more`. */
export async function supervised(name: string, more: Partial<ModuleSpec>): Promise<Subject> {
  const module = name.replaceAll(/\W+/g, '-');
  const folder = mkdtempSync(join(tmpdir(), 'skerry-starts-'));
  const home = mkdtempSync('/var/tmp/skerry-starts-');
  let onLine = (): void => {};
  const supervisor = createSupervisor({
    clock: createRealClock(),
    log: logFor('supervisor', () => {}),
    logFolder: join(folder, 'logs'),
    runFolder: join(folder, 'run'),
    ownFolders: join(home, 'data/modules'),
    hiddenFolder: join(home, 'data'),
    host: {
      line: (_module, _line, settle) => {
        settle();
        onLine();
      },
      changed: () => {},
    },
  });
  await supervisor.killOrphans();
  await supervisor.start([shellModule(module, '/', SCRIPT, { stopSignal: 'SIGKILL', ...more })]);
  await supervisor.stopModule(module);
  return {
    name,
    start: async () => {
      const line = new Promise<void>(resolve => {
        onLine = resolve;
      });
      const began = performance.now();
      void supervisor.startModule(module);
      await line;
      const took = performance.now() - began;
      await supervisor.stopModule(module);
      return took;
    },
    close: async () => {
      await supervisor.stop();
      for (const path of [folder, home]) rmSync(path, { recursive: true });
    },
  };
}
