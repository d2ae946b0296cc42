/** The `count` bytes that a text is the base64 of, as RFC 4648 writes it and no other way; undefined: it is not. */
export function bytesOf(text: string, count: number): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === count && bytes.toString('base64') === text ? bytes : undefined;
}
