import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs';
import { reasonOf, systemCode } from '../../core/errors.ts';

/** Bytes that are looked at: what the kernel reads of a script, and the headers of all common programs. */
const HEAD_BYTES = 4_096;

/** Bytes of the first line of a script that the kernel reads (BINPRM_BUF_SIZE). */
const FIRST_LINE_BYTES = 256;

/** Machines of programs (elf(5), e_machine), as Node names them. */
const MACHINES: Readonly<Record<number, string>> = {
  3: 'ia32',
  8: 'mips',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
};

/** Programs of other machines that the kernel of a machine runs besides its own. */
const RUNS_TOO: Readonly<Record<string, string>> = { x64: 'ia32', arm64: 'arm' };

/** Where the kernel is told of interpreters for foreign programs, such as QEMU's. */
const FOREIGN_FORMATS = '/proc/sys/fs/binfmt_misc';
const OWN_FILES: ReadonlySet<string> = new Set(['register', 'status']);

const MAGIC = '\x7fELF';
const MACHINE_AT = 18;
const INTERPRETER = 3;

/**
 * Reason why the system would not run an executable file, which it says in a misleading way or not at all: a shell would be
 * given a foreign program as a script. Undefined if there is none, or the file cannot be read.
 */
export function unrunnable(file: string): string | undefined {
  const head = headOf(file);
  if (head === undefined) return undefined;
  if (head.length === 0) return `${file} is empty: copy the program again.`;
  if (head.toString('latin1', 0, MAGIC.length) === MAGIC) return unrunnableProgram(file, head);
  return unrunnableScript(file, head.toString('latin1', 0, FIRST_LINE_BYTES));
}

function unrunnableProgram(file: string, head: Buffer): string | undefined {
  if (head.length < MACHINE_AT + 2) return `${file} is cut off: copy the program again.`;
  const machine = machineOf(head);
  const isOwn =
    machine === process.arch || machine === RUNS_TOO[process.arch] || machine === machineOfSystem();
  if (!isOwn && !knowsForeignFormats())
    return `${file} is a program for ${machine}, and this machine is ${process.arch}: take the one for ${process.arch}.`;
  const loader = machine === process.arch ? loaderIn(head) : undefined;
  if (loader === undefined || existsSync(loader)) return undefined;
  return `${file} needs the loader ${loader}, which is not there: take a program that was built for this system.`;
}

function machineOf(head: Buffer): string {
  const number = head[5] === 2 ? head.readUInt16BE(MACHINE_AT) : head.readUInt16LE(MACHINE_AT);
  return MACHINES[number] ?? `another machine (${number})`;
}

/** The machine of the system's own shell. The hub's may be another: it may run in an emulator of user programs. */
function machineOfSystem(): string | undefined {
  const head = headOf('/bin/sh');
  return head === undefined || head.length < MACHINE_AT + 2 ? undefined : machineOf(head);
}

/** The path of the dynamic loader that a program for 64 bits, least byte first, asks for (elf(5), PT_INTERP). */
function loaderIn(head: Buffer): string | undefined {
  if (head[4] !== 2 || head[5] !== 1 || head.length < 64) return undefined;
  const [start, size, count] = [
    Number(head.readBigUInt64LE(32)),
    head.readUInt16LE(54),
    head.readUInt16LE(56),
  ];
  for (let at = start; at < start + size * count && at + 40 <= head.length; at += size) {
    if (head.readUInt32LE(at) !== INTERPRETER) continue;
    const [from, length] = [Number(head.readBigUInt64LE(at + 8)), Number(head.readBigUInt64LE(at + 32))];
    if (from + length > head.length || length < 2) return undefined;
    return head.toString('utf8', from, from + length - 1);
  }
  return undefined;
}

function knowsForeignFormats(): boolean {
  return existsSync(FOREIGN_FORMATS) && readdirSync(FOREIGN_FORMATS).some(name => !OWN_FILES.has(name));
}

/** The first line of a script names the program that runs it (execve(2), "Interpreter scripts"). */
function unrunnableScript(file: string, text: string): string | undefined {
  const [, interpreter] = /^#![ \t]*([^ \t\n]+)/.exec(text) ?? [];
  if (interpreter === undefined || existsSync(interpreter)) return undefined;
  if (interpreter.endsWith('\r'))
    return `The lines of ${file} end with CR and LF, as on Windows, so its interpreter is not found: run dos2unix on it.`;
  return `The interpreter that the first line of ${file} names does not exist: correct it.`;
}

function headOf(file: string): Buffer | undefined {
  const head = Buffer.alloc(HEAD_BYTES);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    return head.subarray(0, readSync(descriptor, head));
  } catch (error) {
    // A program that may be executed and not read is the kernel's to refuse.
    if (systemCode(error) !== undefined) return undefined;
    throw new Error(`${file} cannot be read: ${reasonOf(error)}`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
