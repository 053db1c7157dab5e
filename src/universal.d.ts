/**
 * Declares the few globals that Node, browsers and workers share and that the universal rooms use. Neither DOM nor Node types are
 * loaded there, so that a file cannot even name what only one of them has.
 */
interface AbortSignal {
  readonly aborted: boolean
  readonly reason: unknown
  throwIfAborted(): void
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}
declare const AbortSignal: { any(signals: readonly AbortSignal[]): AbortSignal }
declare class AbortController {
  readonly signal: AbortSignal
  abort(reason?: unknown): void
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean })
  decode(bytes?: Uint8Array, options?: { stream?: boolean }): string
}
declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>
  encodeInto(text: string, bytes: Uint8Array): { readonly read: number; readonly written: number }
}
declare function btoa(latin1: string): string
declare function atob(base64: string): string
declare function setTimeout(callback: () => void, milliseconds: number): unknown
declare function clearTimeout(timer: unknown): void
declare class URL {
  static canParse(url: string, base?: string): boolean
  constructor(url: string, base?: string)
  readonly href: string
  readonly origin: string
  readonly protocol: string
  readonly host: string
  readonly hostname: string
  readonly pathname: string
}

/** Gives the milliseconds since some moment, with fractions. */
declare const performance: { now(): number }

/** Makes what nobody can guess. */
declare const crypto: { randomUUID(): string }
