/** Says what a precision means on an instruction set: how each product is computed and in which format each value lies between. */
import { FORMATS, type Format, PRECISIONS, type ProductPrecision } from '../ops.js'
import type { Linear, Plan } from '../plan.js'

/** Gives the formats that a precision works on, as positions in FORMATS; it is null where the instruction set gains nothing by it. */
export type PrecisionInfo = {
  /** Is what products read. */
  readonly rows: number
  /** Is what attention reads. */
  readonly attention: number
  /** Is what a product may write that is read only as one of the others. */
  readonly between: number
} | null

export class Arithmetic {
  readonly precision: ProductPrecision
  /** Is what attention reads. */
  readonly attention: Format
  /** Is what a product may write where its readers want something else still narrower. */
  readonly between: Format
  readonly #rows: ReadonlyMap<ProductPrecision, Format>

  /** @param precisions of the instruction set, in the order of PRECISIONS; the one chosen is not null */
  constructor(precision: ProductPrecision, precisions: readonly PrecisionInfo[]) {
    const chosen = precisions[PRECISIONS.indexOf(precision)]
    this.precision = precision
    this.attention = formatAt(chosen?.attention)
    this.between = precision === 'float32' ? 'float32' : formatAt(chosen?.between)
    this.#rows = new Map(PRECISIONS.map((name, index) => [name, formatAt(precisions[index]?.rows)]))
  }

  /** Gives what the products of a precision read. */
  rowsFor(precision: ProductPrecision): Format {
    return this.#rows.get(precision) ?? 'float32'
  }

  /**
   * Chooses the precision of a linear layer. Pixels and single rows stay in bfloat16 where the rest is int8: patches of pixels have no row scale worth sharing, and a single row
   * takes no time.
   */
  precisionOf(step: Linear, plan: Plan): ProductPrecision {
    if (this.precision !== 'int8') return this.precision
    const fromPixels = plan.steps.some(({ op, output }) => op === 'patchify' && output === step.input)
    return fromPixels || plan.slots.get(step.output)?.[0] === 1 ? 'bfloat16' : 'int8'
  }
}

/** Makes all products in float32, of values in float32. */
export function plainArithmetic(): Arithmetic {
  return new Arithmetic('float32', [{ rows: 0, attention: 0, between: 0 }])
}

function formatAt(index: number | undefined): Format {
  return FORMATS[index ?? 0] ?? 'float32'
}
