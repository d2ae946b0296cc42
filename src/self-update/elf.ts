/** First bytes of a Linux program (elf(5)): magic number, 64 bits, little-endian. */
const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
const MACHINE_OFFSET = 18;

/** Number of header bytes that `architectureOf` needs. */
export const ELF_HEADER_BYTES = MACHINE_OFFSET + 2;

const MACHINES: Readonly<Record<number, string>> = {
  3: 'ia32',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
};

/**
 * Returns the architecture of an ELF program as a name of `process.arch`. `header` contains the first bytes
 * of the file. Returns undefined if the file is not an ELF program.
 */
export function architectureOf(header: Buffer): string | undefined {
  if (header.length < ELF_HEADER_BYTES || !header.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const machine = header.readUInt16LE(MACHINE_OFFSET);
  return MACHINES[machine] ?? `another machine (${machine})`;
}
