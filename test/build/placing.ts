/**
 * Program that writes a native part into a folder and loads the part for each input line, like a hub at its
 * start.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { reasonOf } from '../../src/core/errors.ts';
import { placeNative } from '../../src/core/files/native.ts';

const [folder = '', name = '', hash = '', source = ''] = process.argv.slice(2);
const content = readFileSync(source);

function place(): string {
  try {
    process.dlopen({ exports: {} }, placeNative(folder, name, hash, content));
    return 'loaded';
  } catch (thrown) {
    return reasonOf(thrown);
  }
}

for await (const _ of createInterface({ input: process.stdin })) process.stdout.write(`${place()}\n`);
