/**
 * A value that the hub keeps as JSON. Undefined if it is not there, or damaged: LMDB keeps no checksum of it.
 */
export function storedJson(bytes: Buffer | undefined): unknown {
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
