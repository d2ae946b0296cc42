/**
 * Parses JSON that the hub has stored. Undefined if the value is missing or damaged. LMDB has no checksums,
 * so a stored value can be damaged.
 */
export function storedJson(bytes: Buffer | undefined): unknown {
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
