/** Says how near each engine and precision comes to the slow truth on one model, and which of them to take. */
import type { EngineName, Precision } from '../../engine/engine.js'

/** Is how one engine and precision did on the photos. Cosines are beside the truth, the lowest of all photos. */
export interface MeasuredRow {
  /** Tells it from a refused one. */
  readonly kind: 'measured'
  /** Names the engine. */
  readonly engine: EngineName
  /** Says how products were computed. */
  readonly precision: Precision
  /** Names the code path and the number of threads. */
  readonly description: string
  /** Tells whether the others are compared with this one; then its own cosines are 1. */
  readonly isTruth: boolean
  /** Counts the photos that were run: a slow engine is given up after some. */
  readonly photos: number
  /** Is the cosine of the embedding. */
  readonly embeddingCosine: number
  /** Is the cosine of all tokens of a photo, taken together. */
  readonly tokensCosine: number
  /** Is the mean of the cosines of all patches. */
  readonly meanPatchCosine: number
  /** Is the lowest cosine of any patch. */
  readonly worstPatchCosine: number
  /** Is the length of the tokens' difference over their length, the largest of all photos. */
  readonly relativeError: number
  /** Is the median time of a photo from pixels to features, decoding and resizing left out. */
  readonly seconds: number
  /** Counts the bytes that it needs. */
  readonly memory: {
    /** Counts those of the weights as it keeps them. */
    readonly weights: number
    /** Counts those of the activations of one photo. */
    readonly activations: number
  }
  /** Is the lowest cosine that the precision promises, of embedding and tokens. */
  readonly promise: number
  /** Tells whether the promise is kept on all photos. */
  readonly isKept: boolean
}

/** Is an engine or a precision that does not run this model here. */
export interface RefusedRow {
  /** Tells it from a measured one. */
  readonly kind: 'refused'
  /** Names the engine. */
  readonly engine: EngineName
  /** Names the precision. */
  readonly precision: Precision
  /** Says why, and what to do. */
  readonly reason: string
}

/** Is how one engine and precision did, or why it did nothing. */
export type ModelRow = MeasuredRow | RefusedRow

/** Says what the rows are compared with. */
export interface Truth {
  /** Names the engine that computed it. */
  readonly engine: EngineName
  /** Says how it computed products. */
  readonly precision: Precision
  /**
   * Is null where the reference engine itself has computed the photos. Where they would take it too long, it has checked another engine's float32 on a
   * piece of the first photo.
   */
  readonly check: {
    /** Is the piece's (height, width) in pixels. */
    readonly size: readonly [height: number, width: number]
    /** Is the cosine of the embedding beside the reference's. */
    readonly embeddingCosine: number
    /** Is the cosine of all tokens together. */
    readonly tokensCosine: number
    /** Tells whether both are as near as float32 promises: otherwise nothing can be said of the others. */
    readonly isKept: boolean
  } | null
}

/** Says what was found of a model on this machine. */
export interface VerifiedModel {
  /** Names the model after its file. */
  readonly model: string
  /** Is the input's (height, width) in pixels, of the first photo. */
  readonly size: readonly [height: number, width: number]
  /** Counts the photos. */
  readonly photos: number
  /** Says what the rows are compared with. */
  readonly truth: Truth
  /** Has one for each engine and precision, also for those that are refused. */
  readonly rows: readonly ModelRow[]
  /** Is the fastest whose promise is kept; null where none keeps it. */
  readonly recommended: MeasuredRow | null
}
