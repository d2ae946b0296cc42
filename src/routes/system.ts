/**
 * The system properties that a condition may name, without their `$`. Names as IoT Edge's messages have them;
 * unlike there, an unknown one is refused, for it would only ever be undefined.
 */
export const SYSTEM_PROPERTIES: ReadonlySet<string> = new Set([
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
