/** What a program for Linux begins with (elf(5)): the magic number, 64 bits, least byte first; its machine is at 18. */
const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
const MACHINE_AT = 18;

/** Bytes that tell. */
export const ELF_HEAD_BYTES = MACHINE_AT + 2;

const MACHINES: Readonly<Record<number, string>> = {
  3: 'ia32',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
};

/** What the program that begins with `head` is made for, as Node names it; undefined: it is no program. */
export function architectureOf(head: Buffer): string | undefined {
  if (head.length < ELF_HEAD_BYTES || !head.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const machine = head.readUInt16LE(MACHINE_AT);
  return MACHINES[machine] ?? `another machine (${machine})`;
}
