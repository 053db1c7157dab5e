/** Gives something back once: when nobody wants it any more and the last use of it under way has ended. */
import { disposed } from './engine-error.js'

export class Lease<Thing extends { release(): void }> {
  readonly #thing: Thing
  readonly #name: string
  #uses = 0
  #isDisposed = false

  /** @param name what a person calls it, such as `model` */
  constructor(thing: Thing, name: string) {
    this.#thing = thing
    this.#name = name
  }

  /** Throws `disposed`. */
  get(): Thing {
    if (this.#isDisposed) throw disposed(this.#name)
    return this.#thing
  }

  /** Keeps it until what is returned is disposed of. Throws `disposed` where it is too late to begin. */
  use(): { readonly thing: Thing } & Disposable {
    const thing = this.get()
    this.#uses++
    return { thing, [Symbol.dispose]: () => this.#end() }
  }

  #end(): void {
    this.#uses--
    if (this.#isDisposed && this.#uses === 0) this.#thing.release()
  }

  dispose(): void {
    if (this.#isDisposed) return
    this.#isDisposed = true
    if (this.#uses === 0) this.#thing.release()
  }
}
