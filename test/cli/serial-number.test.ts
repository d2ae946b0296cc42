import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serialNumber } from '../../src/cli/commands/provisioning/serial-number.ts';
import { folderWith, removeFolder } from '../harness/binary.ts';

const numbers = suite('cli: serial number of the board');

const CASES: readonly (readonly [content: string, serial: string | undefined])[] = [
  ['10000000abcdef01\0', '10000000abcdef01'],
  ['  10000000abcdef01\n', '10000000abcdef01'],
  ['', undefined],
  ['To be filled by O.E.M.', undefined],
  ['../../etc', undefined],
];

numbers('a serial number of the device tree is accepted only if it is a valid device name', () => {
  const folder = folderWith({});
  const file = join(folder, 'serial-number');
  for (const [content, serial] of CASES) {
    writeFileSync(file, content);
    assert.is(serialNumber(file), serial, content);
  }
  assert.is(serialNumber(join(folder, 'missing')), undefined);
  removeFolder(folder);
});

numbers.run();
