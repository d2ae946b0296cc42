import { isUtf8 } from 'node:buffer';
import type { Message } from '../../core/message.ts';
import { MAX_ROUTED_BODY_BYTES } from '../limits.ts';
import { decodeCbor } from './cbor-decoder.ts';

const BYTE_ORDER_MARK = '\ufeff';
const UTF32_BYTES = 4;

/** Matches the media types `application/cbor` and `...+cbor`, with any parameters. */
const CBOR_TYPE = /^[^;]*[/+]cbor\s*(;|$)/i;

/**
 * Decodes a message body for route conditions. If the content type is CBOR, the body is decoded as CBOR.
 * Otherwise it is decoded as JSON in the character encoding `encoding` (UTF-8 if undefined). Undefined if the
 * body cannot be decoded or is larger than MAX_ROUTED_BODY_BYTES.
 */
export function decodeBody({ body, contentType }: Message, encoding: string | null | undefined): unknown {
  if (body.length > MAX_ROUTED_BODY_BYTES) return undefined;
  try {
    if (contentType !== undefined && CBOR_TYPE.test(contentType)) return decodeCbor(body);
    const text = textOf(body, encoding?.toLowerCase() ?? 'utf-8');
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    // A body that cannot be decoded is not an error. In conditions, its fields are undefined.
    return undefined;
  }
}

/** Decodes a body to text. Undefined if the encoding is unknown or the bytes are invalid in this encoding. */
function textOf(body: Buffer, encoding: string): string | undefined {
  switch (encoding) {
    case 'utf-8':
    case 'utf8':
      return isUtf8(body) ? withoutMark(body.toString()) : undefined;
    case 'utf-16':
    case 'utf-16le':
      return isBigEndian(body) ? utf16(body, 'utf-16be') : utf16(body, 'utf-16le');
    case 'utf-16be':
      return utf16(body, 'utf-16be');
    case 'utf-32':
    case 'utf-32le':
      return utf32(body, body.length >= UTF32_BYTES && body.readUInt32BE() === 0xfeff);
    case 'utf-32be':
      return utf32(body, true);
    default:
      return undefined;
  }
}

function isBigEndian(body: Buffer): boolean {
  return body.length >= 2 && body.readUInt16BE() === 0xfeff;
}

function utf16(body: Buffer, encoding: string): string {
  return new TextDecoder(encoding, { fatal: true }).decode(body);
}

function utf32(body: Buffer, bigEndian: boolean): string | undefined {
  if (body.length % UTF32_BYTES !== 0) return undefined;
  let text = '';
  for (let at = 0; at < body.length; at += UTF32_BYTES) {
    const code = bigEndian ? body.readUInt32BE(at) : body.readUInt32LE(at);
    if (code >= 0xd800 && code <= 0xdfff) return undefined;
    text += String.fromCodePoint(code);
  }
  return withoutMark(text);
}

function withoutMark(text: string): string {
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}
