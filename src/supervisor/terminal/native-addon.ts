/**
 * A function that the build adds to the native part for terminals, because Node has none like it. Undefined if this build has
 * no native part: what needs it does without.
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
