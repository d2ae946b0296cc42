import { readFileSync } from 'node:fs';
import { DEVICE_NAME } from '../../../manifest/devices.ts';

/** Serial number of the board, which the firmware puts into the device tree. Ends with a NUL character. */
const DEVICE_TREE = '/proc/device-tree/serial-number';

/** Returns the serial number of the board, such as `10000000abcdef01`. Undefined without a valid one. */
export function serialNumber(file: string = DEVICE_TREE): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'latin1').replaceAll('\0', '').trim();
  } catch {
    return undefined;
  }
  return DEVICE_NAME.test(text) ? text : undefined;
}
