/** node-pty's search for its native part, which the binary replaces; the package has no types for it. */
declare module 'node-pty/lib/utils.js' {
  export function loadNativeModule(name: 'pty'): { readonly module: unknown };
}
