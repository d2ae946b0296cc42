import { CHILD_PROPERTIES } from '../core/child-source.ts';
import type { Dialect } from './dialect.ts';

/** As IoT Edge's messages have them. */
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
 * The system properties that a condition may name, without their `$`. In the skerry dialect an unknown one is refused,
 * for it would only ever be undefined.
 */
export const SYSTEM_PROPERTIES: Readonly<Record<Dialect, ReadonlySet<string>>> = {
  azure: AZURE,
  skerry: new Set([...AZURE, ...CHILD_PROPERTIES]),
};
