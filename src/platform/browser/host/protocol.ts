/** Says what a page and the worker that its encoders live in send to each other. */
import type { FeatureData, StoppedData, TiledData, WantedFeatures } from '../../../encoder/features.js'
import type { LoadOptions } from '../../../encoder/load-options.js'
import type { EncoderDescription, TileChoice } from '../../../encoder/types.js'
import type { DownloadProgress } from '../../../hub/download-progress.js'
import type { GivenPixels } from '../../../image/given-pixels.js'
import type { PlainError } from './plain-error.js'

export type ModelAddress =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'files'; readonly files: readonly Blob[] }

/** A worker gets the options that are plain values. */
export type HostLoadOptions = Omit<LoadOptions, 'signal' | 'onProgress' | 'onWarning'>

export type SentImage = Blob | Uint8Array | GivenPixels | ImageBitmap

export type HostRequest =
  | { readonly kind: 'load'; readonly model: ModelAddress; readonly options: HostLoadOptions }
  | {
      readonly kind: 'prepare'
      readonly encoder: number
      readonly source: SentImage
      readonly tiles: TileChoice | undefined
    }
  | {
      readonly kind: 'compute'
      readonly encoder: number
      readonly items: readonly number[]
      readonly choice: WantedFeatures
    }
  | { readonly kind: 'discard'; readonly item: number }
  | { readonly kind: 'dispose'; readonly encoder: number }

/** Stands for a prepared image, which stays in the worker. */
export interface RemoteItem {
  readonly item: number
  readonly shape: string
  readonly byteLength: number
  readonly batchSize: number
}

export interface LoadedEncoder {
  readonly encoder: number
  readonly description: EncoderDescription
}

export type HostAnswer =
  | LoadedEncoder
  | RemoteItem
  | readonly (FeatureData | StoppedData | TiledData)[]
  | null

export type ToHost = { readonly id: number } & ({ readonly request: HostRequest } | { readonly cancel: true })

export type FromHost = { readonly id: number } & (
  | { readonly answer: HostAnswer }
  | { readonly failure: PlainError }
  | { readonly progress: DownloadProgress }
  | { readonly warning: string }
)
