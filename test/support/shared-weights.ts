/** Lets the cases of one network share its weights: at real size, making and packing them takes longer than a run. */
import type { Engine, EngineModel, WeightSource } from '../../src/engine/engine.js'
import type { Plan } from '../../src/engine/plan.js'

/** Loads a network once: who loads the same one again is handed the model that is there, and whoever disposes of it leaves it there. */
export class SharedWeights implements Disposable {
  readonly engine: Engine
  readonly #owner: Engine
  #loaded: { readonly key: string; readonly model: EngineModel } | null = null

  constructor(owner: Engine) {
    this.#owner = owner
    const load: Engine['load'] = (plan, weights) => this.#load(plan, weights)
    this.engine = new Proxy(owner, {
      get(target, name) {
        if (name === 'load') return load
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  async #load(plan: Plan, weights: WeightSource): Promise<EngineModel> {
    const key = await keyOf(plan, weights)
    if (this.#loaded?.key !== key) {
      this[Symbol.dispose]()
      this.#loaded = { key, model: await this.#owner.load(plan, weights) }
    }
    const { model } = this.#loaded as { readonly model: EngineModel }
    return {
      byteLength: model.byteLength,
      compile: (plan, outputs) => model.compile(plan, outputs),
      [Symbol.dispose]() {},
    }
  }

  [Symbol.dispose](): void {
    this.#loaded?.model[Symbol.dispose]()
    this.#loaded = null
  }
}

/** Tells networks apart by the names and shapes of their weights, and by the numbers of the smallest one. */
async function keyOf({ weights }: Plan, source: WeightSource): Promise<string> {
  const sizeOf = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1)
  const entries = [...weights]
  const [name, shape] = entries.reduce((least, entry) =>
    sizeOf(entry[1]) < sizeOf(least[1]) ? entry : least,
  )
  return JSON.stringify([entries, [...(await source.read(name, shape))]])
}
