import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModuleSpec } from '../../../src/supervisor/spec.ts';
import { withSupervisor, writeScript } from '../../harness/supervisor.ts';

const programs = suite('supervisor: programs that cannot be executed');

const OTHER = process.arch === 'x64' ? 'arm64' : 'x64';

/** Writes a copy of an executable of this machine with some bytes changed. */
function changed(folder: string, name: string, change: (program: Buffer) => Buffer): void {
  copyFileSync('/bin/true', join(folder, name));
  writeFileSync(join(folder, name), change(readFileSync(join(folder, name))), { mode: 0o755 });
}

programs('a program that the system cannot execute fails with a sentence that names the cure', () =>
  withSupervisor({}, async ({ supervisor, sh, status, folder }) => {
    changed(folder, 'foreign', program => {
      program.writeUInt16LE(OTHER === 'arm64' ? 183 : 62, 18);
      return program;
    });
    changed(folder, 'cut', program => program.subarray(0, 10));
    changed(folder, 'unloadable', program =>
      Buffer.from(
        program.toString('latin1').replace(/\/lib[^\0]*ld-linux/, text => text.replace('ld-', 'xx-')),
        'latin1',
      ),
    );
    writeScript(folder, 'empty', '', 0o755);
    writeScript(folder, 'windows.sh', '#!/bin/sh\r\necho hello\r\n', 0o755);
    writeScript(folder, 'x.py', '', 0o644);
    const long = 'x'.repeat(200_000);
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`V${n}`, 'x'.repeat(100_000)]));
    const one = (program: string): Partial<ModuleSpec> => ({ exec: [program] });
    const faults: readonly (readonly [string, Partial<ModuleSpec>, RegExp])[] = [
      [
        'foreign',
        one('./foreign'),
        new RegExp(`foreign is built for ${OTHER}, this machine is ${process.arch}. Install the`),
      ],
      ['cut', one('./cut'), /cut is truncated: copy the program again\.$/],
      [
        'unloadable',
        one('./unloadable'),
        /needs the dynamic loader \/lib.*xx-linux.*, which is not installed/,
      ],
      ['empty', one('./empty'), /empty is empty: copy the program again\.$/],
      ['windows', one('./windows.sh'), /has Windows line endings \(CRLF\).*: run dos2unix on it\.$/],
      [
        'line',
        one('python3 ./x.py'),
        /^Command not found: "python3 \.\/x\.py"\. Write each argument as a string of its own: \["python3", "\.\/x\.py"\]\.$/,
      ],
      [
        'words',
        { exec: ['sleep 100', 'and more'] },
        /^Command not found: "sleep 100"\. .*: \["sleep", "100", "and more"\]\.$/,
      ],
      [
        'argument',
        { exec: ['true', long] },
        /Argument list too long \(E2BIG\): \d+ bytes in total, 200001 in exec\[1\]/,
      ],
      [
        'variable',
        { exec: ['true'], env: { LONG: long } },
        /\(E2BIG\): \d+ bytes in total, 200006 in LONG; one string may/,
      ],
      ['variables', { exec: ['true'], env: many }, /\(E2BIG\): 4\d{6} bytes/],
    ];
    await supervisor.start(faults.map(([name, more]) => sh(name, '', { restart: 'always', ...more })));
    for (const [name, , reason] of faults) {
      assert.is(status(name).state, 'failed', name);
      assert.match(status(name).lastExit ?? '', reason);
    }
  }),
);

programs('a module runs a program with a space in its path, and a script without a shebang', () =>
  withSupervisor({}, async ({ supervisor, sh, status, folder }) => {
    writeScript(folder, 'with space.sh', '#!/bin/sh\nsleep 1000\n', 0o755);
    writeScript(folder, 'bare.sh', 'sleep 1000\n', 0o755);
    await supervisor.start([
      sh('space', '', { exec: ['./with space.sh'] }),
      sh('bare', '', { exec: ['./bare.sh'] }),
    ]);
    assert.equal([status('space').state, status('bare').state], ['running', 'running']);
  }),
);

programs.run();
