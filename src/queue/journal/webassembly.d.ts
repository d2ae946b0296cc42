/** Types of WebAssembly.Memory, which Node's own types omit. */
declare namespace WebAssembly {
  class Memory {
    /** Creates memory. Both limits are in pages of 64 KB. */
    constructor(limits: { readonly initial: number; readonly maximum: number });
    readonly buffer: ArrayBuffer;
  }
}
