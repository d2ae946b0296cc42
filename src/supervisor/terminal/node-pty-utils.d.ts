/** node-pty's loader of its native addon, which the binary replaces. The package has no types for it. */
declare module 'node-pty/lib/utils.js' {
  export function loadNativeModule(name: 'pty'): { readonly module: unknown };
}
