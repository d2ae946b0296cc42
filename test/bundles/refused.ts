import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import type { TarEntry } from '../harness/bundles/archives.ts';
import { archive, END, entry, extended } from '../harness/bundles/archives.ts';

const file: TarEntry = { name: 'a', content: 'A' };
const folder: TarEntry = { name: 'd', type: '5' };
const link = (name: string, linkname: string): TarEntry => ({ name, type: '2', linkname });
const hardLink = (name: string, linkname: string): TarEntry => ({ name, type: '1', linkname });
const valid = archive(file);
const zeros = (bytes: number): Buffer => archive({ name: 'zero bytes only', content: Buffer.alloc(bytes) });
/** Archive that needs a window larger than 8 MB. */
const wide = zstdCompressSync(Buffer.concat([valid, Buffer.alloc(10 << 20)]), {
  params: { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_enableLongDistanceMatching]: 1 },
});
const ENDS = 'is truncated: it was not copied completely.';

/** Invalid archives and their errors about `modules.m.bundle`. */
export const REFUSED: readonly (readonly [what: string, bytes: Buffer, sentence: string])[] = [
  ['no bytes', Buffer.alloc(0), 'is empty.'],
  ['a text instead of an archive', Buffer.from('#!/bin/sh\n'), 'is neither tar nor tar with gzip or zstd.'],
  ['zero bytes only', Buffer.alloc(10_240), 'is neither tar nor tar with gzip or zstd.'],
  [
    'a zip archive',
    Buffer.from('PK\u0003\u0004'.padEnd(600, 'x')),
    'is neither tar nor tar with gzip or zstd.',
  ],
  ['a text in gzip', gzipSync('x'.repeat(600)), 'is not a tar archive.'],
  ['too little data in gzip', gzipSync('x'), 'is not a tar archive.'],
  ['an old tar header without magic', gzipSync(archive({ ...file, magic: '' })), 'is not a tar archive.'],
  ['truncated gzip data', gzipSync(valid).subarray(0, 60), ENDS],
  ['gzip without its end', gzipSync(valid).subarray(0, -1), ENDS],
  [
    'a changed byte in gzip',
    changed(gzipSync(valid), 40),
    'is corrupted: gzip reports "incorrect data check".',
  ],
  [
    'a changed checksum in gzip',
    changed(gzipSync(valid), -6),
    'is corrupted: gzip reports "incorrect data check".',
  ],
  ['truncated zstd data', zstdCompressSync(valid).subarray(0, 40), ENDS],
  [
    'a changed header in zstd',
    changed(zstdCompressSync(valid), 4),
    'is corrupted: zstd reports "Unsupported frame parameter".',
  ],
  [
    'a too large zstd window',
    wide,
    'needs more than 8388608 bytes of memory to unpack: use "zstd -19" or less, without "--long".',
  ],
  ['a truncated first header', valid.subarray(0, 300), 'is not a tar archive.'],
  ['truncated content', archive(folder, file).subarray(0, 1025), ENDS],
  ['truncated padding behind content', archive(folder, file).subarray(0, 1200), ENDS],
  ['no end marker', entry(file), ENDS],
  ['a truncated long name', archive(extended({ path: 'x'.repeat(600) }), file).subarray(0, 900), ENDS],
  ['a wrong checksum', archive(folder, { ...file, checksum: 1 }), 'is corrupted at byte 512.'],
  ['another magic in the middle', archive(folder, { ...file, magic: 'other' }), 'is corrupted at byte 512.'],
  [
    'an entry behind the end marker',
    Buffer.concat([valid, entry(file)]),
    'has data after its end marker, at byte 2048.',
  ],
  [
    'an archive behind the end marker',
    Buffer.concat([valid, valid]),
    'has data after its end marker, at byte 2048.',
  ],
  ['no file', archive(folder), 'holds no file.'],
  ['only an end marker', gzipSync(END), 'holds no file.'],
  ['a name that leads outside', archive(file, { name: '../x' }), 'holds "../x", a name with ".." in it.'],
  [
    'a name that leads outside in its middle',
    archive({ name: 'd/../../x' }),
    'holds "d/../../x", a name with ".." in it.',
  ],
  [
    'a name that leads outside at its end',
    archive({ name: 'd/..', type: '5' }),
    'holds "d/..", a name with ".." in it.',
  ],
  [
    'a prefix that leads outside',
    archive({ name: 'x', prefix: '../y' }),
    'holds "../y/x", a name with ".." in it.',
  ],
  [
    'a long name that leads outside',
    archive(extended({ path: '../x' }), file),
    'holds "../x", a name with ".." in it.',
  ],
  [
    'a GNU long name that leads outside',
    archive({ type: 'L', content: '../x\0' }, file),
    'holds "../x", a name with ".." in it.',
  ],
  ['an absolute name', archive({ name: '/etc/passwd' }), 'holds "/etc/passwd", an absolute name.'],
  [
    'an absolute prefix',
    archive({ name: 'passwd', prefix: '/etc' }),
    'holds "/etc/passwd", an absolute name.',
  ],
  ['a backslash in a name', archive({ name: '..\\x' }), 'holds "..\\\\x", a name with a backslash in it.'],
  [
    'a NUL in a name',
    archive(extended({ path: 'a\0b' }), file),
    'holds "a\\u0000b", a name with a NUL in it.',
  ],
  ['an empty name', archive(extended({ path: '' }), file), 'holds an entry without a name.'],
  ['a name that is not UTF-8', archive(latin(file)), 'holds "\ufffd", a name that is not UTF-8.'],
  ['a line break in a name', archive({ name: '/a\nb' }), 'holds "/a\\nb", an absolute name.'],
  [
    'a too long name',
    archive(extended({ path: `${'d/'.repeat(600)}x` }), file),
    `holds "${'d/'.repeat(60)}...", a name longer than 1024 bytes.`,
  ],
  [
    'a too long part of a name',
    archive(extended({ path: 'x'.repeat(256) }), file),
    `holds "${'x'.repeat(120)}...", a name with a part longer than 255 bytes.`,
  ],
  ['a file named like the bundle folder', archive({ ...file, name: '.' }), 'holds "." twice.'],
  [
    'a file named like a folder',
    archive({ ...file, name: 'a/' }),
    'holds "a/", a file with the name of a folder.',
  ],
  ['a file twice', archive(file, file), 'holds "a" twice.'],
  ['a file twice with different spellings', archive(file, { ...file, name: './/a' }), 'holds ".//a" twice.'],
  ['a folder twice', archive(folder, folder, file), 'holds "d" twice.'],
  ['a file in place of a folder', archive({ name: 'd/x' }, { name: 'd' }), 'holds "d" twice.'],
  ['a file below a file', archive(file, { name: 'a/b' }), 'holds "a/b" below "a", which is not a folder.'],
  [
    'a file below a link',
    archive(folder, link('l', 'd'), { name: 'l/x' }),
    'holds "l/x" below "l", which is not a folder.',
  ],
  ['a file over a link', archive(link('l', 'x'), { name: 'l' }), 'holds "l" twice.'],
  ['a link over a folder', archive({ name: 'd/x' }, link('d', '.')), 'holds "d" twice.'],
  [
    'a link that leads outside',
    archive(file, link('l', '../x')),
    'holds "l", a link to "../x", which points outside the bundle.',
  ],
  [
    'a link that leads outside from a subfolder',
    archive(file, link('d/l', '../../x')),
    'holds "d/l", a link to "../../x", which points outside the bundle.',
  ],
  ['an absolute link', archive(file, link('l', '/etc')), 'holds "l", a link to "/etc", an absolute name.'],
  [
    'a link that leads outside through a link',
    archive(file, { name: 'd/e/f' }, link('d/e/up', '../..'), link('l', 'd/e/up/../x')),
    'holds "l", a link to "d/e/up/../x", which points outside the bundle.',
  ],
  [
    'a link that leads outside through a later link',
    archive(file, link('l', 'm/../x'), { name: 'd/x' }, link('d/m', '..'), link('m', 'd/m')),
    'holds "l", a link to "m/../x", which points outside the bundle.',
  ],
  [
    'a loop of links',
    archive(file, link('l', 'm'), link('m', 'l')),
    'holds "l", a link to "m", which is a symlink loop (ELOOP).',
  ],
  ['a link with an empty target', archive(file, link('l', '')), 'holds "l", a link to "", nothing.'],
  [
    'a hard link that leads outside',
    archive(file, hardLink('l', '../x')),
    'holds "l", a hard link to "../x", a name with ".." in it.',
  ],
  [
    'an absolute hard link',
    archive(file, hardLink('l', '/etc/passwd')),
    'holds "l", a hard link to "/etc/passwd", an absolute name.',
  ],
  [
    'a hard link to a later file',
    archive(hardLink('l', 'a'), file),
    'holds "l", a hard link to "a", which is not an earlier file.',
  ],
  [
    'a hard link to a folder',
    archive(folder, hardLink('l', 'd')),
    'holds "l", a hard link to "d", which is not an earlier file.',
  ],
  [
    'a hard link to a link',
    archive(link('s', 'a'), hardLink('l', 's')),
    'holds "l", a hard link to "s", which is not an earlier file.',
  ],
  [
    'a hard link with content',
    archive(file, { ...hardLink('l', 'a'), content: 'B' }),
    'holds "l", which has content but is not a file.',
  ],
  ['a character device', archive({ name: 'tty', type: '3' }), 'holds "tty", a device.'],
  ['a block device', archive({ name: 'sda', type: '4' }), 'holds "sda", a device.'],
  ['a pipe', archive({ name: 'p', type: '6' }), 'holds "p", a pipe.'],
  [
    'a sparse file',
    archive({ name: 's', type: 'S' }),
    'holds "s", a sparse file: make the archive without "--sparse".',
  ],
  [
    'a sparse file in pax format',
    archive(extended({ 'GNU.sparse.major': '1' }), file),
    'holds "a", a sparse file: make the archive without "--sparse".',
  ],
  [
    'an unknown entry type',
    archive({ name: 'u', type: 'Z' }),
    'holds "u", which has a type that a bundle cannot hold ("Z").',
  ],
  [
    'a name in a global header',
    archive(extended({ path: 'x' }, 'g'), file),
    'is corrupted at byte 512: a global header sets names.',
  ],
  [
    'an extended header without an end',
    archive({ type: 'x', content: '9 path=x' }, file),
    'is corrupted at byte 512.',
  ],
  [
    'an extended header longer than its data',
    archive({ type: 'x', content: '99 path=x\n' }, file),
    'is corrupted at byte 512.',
  ],
  [
    'an extended header of negative length',
    archive({ type: 'x', content: '-9 path=x\n' }, file),
    'is corrupted at byte 512.',
  ],
  ['an invalid size', archive(extended({ size: '1e3' }), file), 'is corrupted at byte 512.'],
  ['a negative size', archive(negative()), 'is corrupted at byte 0.'],
  ['a size beyond the archive', archive({ ...file, size: 100_000 }), ENDS],
  [
    'a long name of 1 MB',
    archive({ type: 'L', content: Buffer.alloc(1 << 20, 'x') }, file),
    'is corrupted at byte 512: the extended headers of one entry are too long.',
  ],
  [
    'too many extended headers of one entry',
    archive(...Array.from({ length: 9 }, () => extended({ comment: 'x' })), file),
    'is corrupted at byte 8192: the extended headers of one entry are too long.',
  ],
  [
    'more bytes than its limit',
    gzipSync(zeros(100 << 20)),
    'holds more than 1048576 bytes, the limit by its "size".',
  ],
  [
    'more files than its limit',
    archive(...Array.from({ length: 11 }, (_, n) => ({ name: `f${n}` }))),
    'holds more than 10 files and folders, the limit by its "files".',
  ],
  [
    'more implied folders than its limit',
    archive(extended({ path: 'd/'.repeat(11) }), { ...folder }),
    'holds more than 10 files and folders, the limit by its "files".',
  ],
  [
    'too many bytes behind the end marker',
    gzipSync(Buffer.concat([valid, Buffer.alloc(10 << 20)])),
    'unpacks to more than 2138112 bytes, the limit by its "size" and "files".',
  ],
];

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  const index = at < 0 ? bytes.length + at : at;
  copy[index] = ~(copy[index] ?? 0) & 0xff;
  return copy;
}

/** Returns an entry whose header has `bytes` at `at`, with a matching checksum. */
function patched(made: TarEntry, at: number, bytes: readonly number[]): Buffer {
  const block = entry(made);
  block.set(bytes, at);
  block.fill(' ', 148, 156);
  const sum = block.subarray(0, 512).reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function latin(made: TarEntry): Buffer {
  return patched(made, 0, [0xfc]);
}

function negative(): Buffer {
  return patched(
    { name: 'a' },
    124,
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf0],
  );
}
