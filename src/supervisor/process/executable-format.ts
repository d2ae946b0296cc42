import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs';
import { reasonOf, systemCode } from '../../core/errors.ts';

/**
 * Number of bytes that are read from the start of a file. These bytes contain the first line of a script, or
 * the ELF headers of common programs.
 */
const HEAD_BYTES = 4_096;

/** Maximum bytes of a script's first line that the kernel reads (BINPRM_BUF_SIZE). */
const FIRST_LINE_BYTES = 256;

/** Names of architectures, as in `process.arch`, by ELF machine number (elf(5), e_machine). */
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

/** Second architecture whose programs a machine can execute. The key is the architecture of the machine. */
const COMPATIBLE: Readonly<Record<string, string>> = { x64: 'ia32', arm64: 'arm' };

/** Folder of interpreters registered for foreign executables, such as QEMU (binfmt_misc). */
const FOREIGN_FORMATS = '/proc/sys/fs/binfmt_misc';

/** Names of the kernel's control files in the folder of interpreters. */
const CONTROL_FILES: ReadonlySet<string> = new Set(['register', 'status']);

/** First bytes of an ELF file. */
const MAGIC = '\x7fELF';

/** Offset of the machine number in an ELF file. */
const MACHINE_AT = 18;

/** Type of the program header that contains the path of the dynamic loader (PT_INTERP). */
const INTERPRETER = 3;

/**
 * Returns the reason why the kernel cannot execute a file. Undefined if the kernel can execute the file, or
 * if the file cannot be read. This check is needed because the kernel's own error is misleading (ENOENT for a
 * missing loader). In addition, a shell would run an executable of another architecture as a script.
 */
export function formatProblem(file: string): string | undefined {
  const head = headOf(file);
  if (head === undefined) return undefined;
  if (head.length === 0) return `${file} is empty: copy the program again.`;
  if (head.toString('latin1', 0, MAGIC.length) === MAGIC) return elfProblem(file, head);
  return scriptProblem(file, head.toString('latin1', 0, FIRST_LINE_BYTES));
}

function elfProblem(file: string, head: Buffer): string | undefined {
  if (head.length < MACHINE_AT + 2) return `${file} is truncated: copy the program again.`;
  const machine = machineOf(head);
  const isOwn =
    machine === process.arch || machine === COMPATIBLE[process.arch] || machine === machineOfSystem();
  if (!isOwn && !hasForeignInterpreter())
    return `Exec format error: ${file} is built for ${machine}, this machine is ${process.arch}. Install the ${process.arch} build.`;
  const loader = machine === process.arch ? loaderIn(head) : undefined;
  if (loader === undefined || existsSync(loader)) return undefined;
  return `${file} needs the dynamic loader ${loader}, which is not installed: install a build for this system.`;
}

function machineOf(head: Buffer): string {
  const number = head[5] === 2 ? head.readUInt16BE(MACHINE_AT) : head.readUInt16LE(MACHINE_AT);
  return MACHINES[number] ?? `another machine (${number})`;
}

/**
 * Returns the architecture of /bin/sh. In a user-mode emulator, this architecture differs from the hub's
 * architecture.
 */
function machineOfSystem(): string | undefined {
  const head = headOf('/bin/sh');
  return head === undefined || head.length < MACHINE_AT + 2 ? undefined : machineOf(head);
}

/** Returns the path of the dynamic loader of a 64-bit little-endian ELF file (elf(5), PT_INTERP). */
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

function hasForeignInterpreter(): boolean {
  return existsSync(FOREIGN_FORMATS) && readdirSync(FOREIGN_FORMATS).some(name => !CONTROL_FILES.has(name));
}

/** Returns an error if the interpreter in a script's first line does not exist (execve(2)). */
function scriptProblem(file: string, text: string): string | undefined {
  const [, interpreter] = /^#![ \t]*([^ \t\n]+)/.exec(text) ?? [];
  if (interpreter === undefined || existsSync(interpreter)) return undefined;
  if (interpreter.endsWith('\r'))
    return `${file} has Windows line endings (CRLF), so its interpreter is not found: run dos2unix on it.`;
  return `${file} names an interpreter in its first line that does not exist: correct it.`;
}

function headOf(file: string): Buffer | undefined {
  const head = Buffer.alloc(HEAD_BYTES);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    return head.subarray(0, readSync(descriptor, head));
  } catch (error) {
    // A file that the hub cannot read counts as valid, because the kernel can possibly execute it.
    if (systemCode(error) !== undefined) return undefined;
    throw new Error(`${file} cannot be read: ${reasonOf(error)}`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
