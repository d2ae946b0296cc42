import type { StoredWill } from '../../broker/types.ts';
import { storedJson } from '../../core/files/stored-json.ts';
import { PLAIN } from '../../core/message.ts';

/*
 * Encoding of the MQTT will of a persistent session in the metadata of the store: JSON, with bytes in base64.
 */

export function encodeWill({ message, delay, due }: StoredWill): Buffer {
  const { topic, body, qos, retain, properties } = message;
  const { contentType, payloadFormat, responseTopic, correlation, ttl } = message;
  const bytes = { body: body.toString('base64'), correlation: correlation?.toString('base64') };
  const rest = { qos, retain, properties, contentType, payloadFormat, responseTopic, ttl };
  return Buffer.from(JSON.stringify({ topic, ...bytes, ...rest, delay, due }));
}

/** Decodes a will. Undefined if the bytes are not a valid will. */
export function decodeWill(bytes: Buffer | undefined): StoredWill | undefined {
  const { topic, body, qos, correlation, properties, ...rest } = fieldsOf(storedJson(bytes));
  const { retain, contentType, payloadFormat, responseTopic, ttl, delay, due } = rest;
  if (typeof topic !== 'string' || typeof body !== 'string') return undefined;
  if (qos !== 0 && qos !== 1 && qos !== 2) return undefined;
  return {
    message: {
      ...PLAIN,
      topic,
      body: Buffer.from(body, 'base64'),
      qos,
      retain: retain === true,
      properties: Array.isArray(properties) ? properties.map(String) : PLAIN.properties,
      contentType: textIn(contentType),
      payloadFormat: payloadFormat === 0 || payloadFormat === 1 ? payloadFormat : undefined,
      responseTopic: textIn(responseTopic),
      correlation: typeof correlation === 'string' ? Buffer.from(correlation, 'base64') : undefined,
      ttl: numberIn(ttl),
    },
    delay: numberIn(delay) ?? 0,
    due: numberIn(due),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberIn(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
