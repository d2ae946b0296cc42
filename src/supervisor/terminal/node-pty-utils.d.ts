/**
 * Types of the module that loads node-pty's native addon. The package node-pty has no types for this module.
 * In the hub's binary, the build replaces this module.
 */
declare module 'node-pty/lib/utils.js' {
  export function loadNativeModule(name: 'pty'): { readonly module: unknown };
}
