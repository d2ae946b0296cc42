import { CHILD_PROPERTIES } from '../core/child-source.ts';
import type { Dialect } from './dialect.ts';

/** System properties of messages in Azure IoT Edge. */
const AZURE: ReadonlySet<string> = new Set([
  'connectionDeviceId',
  'connectionModuleId',
  'contentEncoding',
  'contentType',
  'correlationId',
  'creationTimeUtc',
  'enqueuedTime',
  'expiryTimeUtc',
  'inputName',
  'messageId',
  'messageSchema',
  'outputName',
  'to',
  'userId',
]);

/**
 * System properties that a condition can contain, without `$`. The skerry dialect refuses unknown system
 * properties, because their value would always be undefined.
 */
export const SYSTEM_PROPERTIES: Readonly<Record<Dialect, ReadonlySet<string>>> = {
  azure: AZURE,
  skerry: new Set([...AZURE, ...CHILD_PROPERTIES]),
};
