/** Decodes strict base64 (RFC 4648) of exactly `count` bytes. Undefined if the text is invalid. */
export function decodeBase64(text: string, count: number): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === count && bytes.toString('base64') === text ? bytes : undefined;
}
