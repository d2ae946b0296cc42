/**
 * Looks up a function that the build adds to node-pty's native addon, because Node lacks it. Undefined if
 * this build has no addon.
 */
export async function nativeFunction(
  name: string,
): Promise<((...values: readonly unknown[]) => unknown) | undefined> {
  const native = await loadPart();
  if (typeof native !== 'object' || native === null) return undefined;
  const found: unknown = Object.getOwnPropertyDescriptor(native, name)?.value;
  return typeof found === 'function' ? (...values) => Reflect.apply(found, undefined, values) : undefined;
}

async function loadPart(): Promise<unknown> {
  try {
    const { loadNativeModule } = await import('node-pty/lib/utils.js');
    return loadNativeModule('pty').module;
  } catch {
    return undefined;
  }
}
