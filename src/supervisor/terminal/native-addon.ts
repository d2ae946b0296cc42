/**
 * Returns a function of node-pty's native addon. The build adds functions to this addon for system calls that
 * Node does not offer. Undefined if the function or the addon was not built.
 */
export async function nativeFunction(
  name: string,
): Promise<((...values: readonly unknown[]) => unknown) | undefined> {
  const native = await loadAddon();
  if (typeof native !== 'object' || native === null) return undefined;
  const found: unknown = Object.getOwnPropertyDescriptor(native, name)?.value;
  return typeof found === 'function' ? (...values) => Reflect.apply(found, undefined, values) : undefined;
}

async function loadAddon(): Promise<unknown> {
  try {
    const { loadNativeModule } = await import('node-pty/lib/utils.js');
    return loadNativeModule('pty').module;
  } catch {
    return undefined;
  }
}
