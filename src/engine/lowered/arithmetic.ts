/** Says what a precision means on an instruction set: how each product is computed and in which format each value lies between. */
import { FORMATS, type Format, PRECISIONS, type ProductPrecision } from '../ops.js'
import type { Linear, Plan, WeightName } from '../plan.js'

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
  readonly #precisions: readonly PrecisionInfo[]
  readonly #wide: ReadonlySet<WeightName>
  readonly #rows: ReadonlyMap<ProductPrecision, Format>

  /**
   * @param precisions of the instruction set, in the order of PRECISIONS; the one chosen is not null
   * @param wide weights that stay in bfloat16 where the rest is int8
   */
  constructor(
    precision: ProductPrecision,
    precisions: readonly PrecisionInfo[],
    wide: Iterable<WeightName> = [],
  ) {
    const chosen = precisions[PRECISIONS.indexOf(precision)]
    this.precision = precision
    this.#precisions = precisions
    this.#wide = new Set(wide)
    this.attention = formatAt(chosen?.attention)
    this.between = precision === 'float32' ? 'float32' : formatAt(chosen?.between)
    this.#rows = new Map(PRECISIONS.map((name, index) => [name, formatAt(precisions[index]?.rows)]))
  }

  /** Gives what the products of a precision read. */
  rowsFor(precision: ProductPrecision): Format {
    return this.#rows.get(precision) ?? 'float32'
  }

  /**
   * Gives an arithmetic that holds some weights which this one has shown not to hold: they stay in bfloat16 where the rest is int8. In bfloat16 it is what
   * they make of activations that is lost, from there on in all layers, and so everything is computed in `high`, or else in float32.
   */
  holding(weights: Iterable<WeightName>): Arithmetic {
    if (this.precision === 'int8') return new Arithmetic('int8', this.#precisions, weights)
    const hasHigh = this.#precisions[PRECISIONS.indexOf('high')] != null
    return new Arithmetic(hasHigh ? 'high' : 'float32', this.#precisions)
  }

  /** Chooses the precision of products with a weight, whatever it is multiplied with. */
  precisionWith(weight: WeightName): ProductPrecision {
    return this.#wide.has(weight) ? 'bfloat16' : this.precision
  }

  /** Chooses the precision of a convolution: bytes are for linear layers, whose rows are read by many products and not made for one. */
  precisionOfKernels(weight: WeightName): ProductPrecision {
    const precision = this.precisionWith(weight)
    return precision === 'int8' ? 'bfloat16' : precision
  }

  /**
   * Chooses the precision of a linear layer. A single row takes no time, and what a head makes of a network's mean is the small rest of what cancels in it: it is
   * multiplied in float32 where the rest is bfloat16, and in bfloat16 where the rest is int8. So are patches of pixels there, which have no row scale worth sharing.
   */
  precisionOf(step: Linear, plan: Plan): ProductPrecision {
    const precision = this.precisionWith(step.weight)
    const isSingleRow = plan.slots.get(step.output)?.[0] === 1
    if (this.precision === 'bfloat16' && isSingleRow) return 'float32'
    if (precision !== 'int8') return precision
    const fromPixels = plan.steps.some(({ op, output }) => op === 'patchify' && output === step.input)
    return fromPixels || isSingleRow ? 'bfloat16' : 'int8'
  }
}

/** Makes all products in float32, of values in float32. */
export function plainArithmetic(): Arithmetic {
  return new Arithmetic('float32', [{ rows: 0, attention: 0, between: 0 }])
}

function formatAt(index: number | undefined): Format {
  return FORMATS[index ?? 0] ?? 'float32'
}
