/** What of WebAssembly's memory is used here; Node's own types leave it to those of browsers. */
declare namespace WebAssembly {
  class Memory {
    /** Both in units of 64 KB. */
    constructor(limits: { readonly initial: number; readonly maximum: number });
    readonly buffer: ArrayBuffer;
  }
}
