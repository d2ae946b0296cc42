/**
 * Types of the module in which node-pty loads its native addon, because the package has no types for it. In
 * the hub's binary, the build replaces this module.
 */
declare module 'node-pty/lib/utils.js' {
  export function loadNativeModule(name: 'pty'): { readonly module: unknown };
}
