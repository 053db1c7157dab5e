/** The part of WebAssembly's global that is used here: Node's types leave it to the DOM's, which are not loaded. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Instance {
    constructor(module: Module, imports: { readonly env: { readonly memory: Memory } })
    readonly exports: object
  }
  class Memory {
    constructor(options: { initial: number; maximum: number; shared: boolean })
    readonly buffer: ArrayBuffer | SharedArrayBuffer
    grow(pages: number): number
  }
  function validate(bytes: Uint8Array): boolean
}
