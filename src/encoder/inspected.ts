/** The types of what is seen within a network stand here: what can be asked for, and what comes out. */

/** Names a patch by its place in the grid. */
export interface PatchPlace {
  /** Counts from the top, from 0. */
  readonly row: number
  /** Counts from the left, from 0. */
  readonly column: number
}

/**
 * Says whose attention is wanted: that of the class token, of the registers, of both (`special`), of all patches or of all tokens, which makes whole matrices, of the
 * query with which a pooling head looks at the tokens (`probe`), or of single patches.
 */
export type AttentionFrom =
  | 'class'
  | 'registers'
  | 'special'
  | 'patches'
  | 'all'
  | 'probe'
  | readonly PatchPlace[]

/** Says which heads: each on its own, all joined value by value, or those with these numbers, each on its own. */
export type AttentionHeads = 'each' | 'mean' | 'max' | 'min' | readonly number[]

/** Asks for attention weights. */
export interface AttentionChoice {
  /** Numbers the blocks, from 0; negative numbers count from the last. The probe stands behind all blocks and has none. Default: the last. */
  readonly layers?: readonly number[]
  /** Says which heads; default: each on its own. */
  readonly heads?: AttentionHeads
  /** Says whose attention; default: the class token's, or the probe's where there is no class token. */
  readonly from?: AttentionFrom
  /** Bounds the bytes of the weights of one image, which `attentionBytes` tells before; more are refused. Default: 1 GiB. */
  readonly maxBytes?: number
  /**
   * Takes rows as they are where an engine multiplies activations in bytes: of the class token of the model in the package, a quarter of them then have a cosine below 0.999
   * with float32's, the least one of 0.990. Default `false`: such an engine refuses attention (`attends.exact` tells), and others are asked for nothing.
   */
  readonly inexact?: boolean
}

/** Says who attends. */
export type AttendingToken =
  | {
      /** Is the class token, or the query of a pooling head. */
      readonly kind: 'class' | 'probe'
    }
  | {
      /** Is a register. */
      readonly kind: 'register'
      /** Counts the registers before it. */
      readonly index: number
    }
  | ({
      /** Is a patch, whose place stands beside it. */
      readonly kind: 'patch'
    } & PatchPlace)

/**
 * Holds attention weights of one block: softmax(q k^T / sqrt(d) + bias), whose rows sum to 1 over class token, registers and patches together. Where a network
 * attends in windows a patch has weights for those of its own window alone, a class token that stands in every window the mean over all of them, and what falls on the
 * empty places of a window is in none.
 */
export interface AttentionMap {
  /** Is the block's number, from 0; the count of blocks for the query of a pooling head, which stands behind all. */
  readonly layer: number
  /** Says which heads these are, as they were asked for. */
  readonly heads: AttentionHeads
  /** Counts the heads in these arrays, M; it is 1 where they are joined. */
  readonly headCount: number
  /** Says who attends, N tokens. */
  readonly rows: readonly AttendingToken[]
  /** [M, N, rows * columns] */
  readonly toPatches: Float32Array
  /** [M, N, 1], or empty for a network without class token. */
  readonly toClass: Float32Array
  /** [M, N, R] */
  readonly toRegisters: Float32Array
}

/**
 * Names what of a block: queries, keys and values of its attention, or the tokens that leave it. dino-vit-features calls them query, key, value and token.
 */
export type FacetKind = 'q' | 'k' | 'v' | 'token'

/** Asks for a facet of a block. */
export interface FacetChoice {
  /** Is the block's number, from 0; negative numbers count from the last. */
  readonly layer: number
  /** Names what of it. */
  readonly of: FacetKind
  /**
   * Takes tokens behind the final norm of the network, and queries and keys behind the norm of their heads. Default `false`: tokens as they leave the block, queries,
   * keys and values as they were projected, which is what transformers' `query`, `key` and `value` modules (`q_proj`, `k_proj`, `v_proj`), timm's `qkv` and
   * dino-vit-features give; what Birder attends with is behind the norm. Neither is scaled or turned by rotary positions.
   */
  readonly normed?: boolean
  /**
   * Says how the columns of queries, keys and values lie: head after head (default), as they are projected; or channel after channel with all heads of each
   * (`by-channel`), as dino-vit-features lays them out: a head's channel is at channel * H + head. Tokens have no heads.
   */
  readonly columns?: 'by-head' | 'by-channel'
}

/** Holds a facet of a block, float32, row-major. */
export interface Facet {
  /** Is the block's number, from 0. */
  readonly layer: number
  /** Names what of it. */
  readonly of: FacetKind
  /** Tells whether it is behind a norm. */
  readonly normed: boolean
  /** Counts the heads that share the columns, H; 1 for tokens. */
  readonly heads: number
  /** Counts the columns, D. */
  readonly width: number
  /** [rows * columns, D] */
  readonly patches: Float32Array
  /** [1, D], or empty for a network without class token. */
  readonly classToken: Float32Array
  /** [R, D] */
  readonly registers: Float32Array
}
