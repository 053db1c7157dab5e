/** What a page and the worker that its encoders live in say to each other. */
import type { PlainValue } from '../../../checkpoint/checkpoint.js'
import type { RecipeChoice } from '../../../encoder/choose-recipe.js'
import type { FeatureData } from '../../../encoder/features.js'
import type { EncodeOptions, EncoderDescription } from '../../../encoder/types.js'
import type { DownloadProgress } from '../../../hub/download-progress.js'
import type { RgbImage } from '../../../image/image.js'
import type { PositionRule } from '../../../model/positions.js'
import type { EngineSettings } from '../choose-engine.js'
import type { PlainError } from './plain-error.js'

export type ModelAddress =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'files'; readonly files: readonly Blob[] }

/** What of the options a worker needs: plain values. */
export interface HostLoadOptions extends RecipeChoice, EngineSettings {
  readonly network?: string
  readonly config?: { readonly [key: string]: PlainValue }
  readonly heads?: number
  readonly positions?: PositionRule
  readonly maxPixels?: number
  readonly sha256?: string
}

/** An image on its way to the worker. */
export type SentImage = Blob | Uint8Array | RgbImage | ImageBitmap

export type HostRequest =
  | { readonly kind: 'load'; readonly model: ModelAddress; readonly options: HostLoadOptions }
  | { readonly kind: 'prepare'; readonly encoder: number; readonly source: SentImage }
  | {
      readonly kind: 'compute'
      readonly encoder: number
      readonly items: readonly number[]
      readonly options: Omit<EncodeOptions, 'signal'>
    }
  | { readonly kind: 'discard'; readonly item: number }
  | { readonly kind: 'dispose'; readonly encoder: number }

/** A prepared image that stays in the worker. */
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

export type HostAnswer = LoadedEncoder | RemoteItem | readonly FeatureData[] | null

export type ToHost = { readonly id: number } & ({ readonly request: HostRequest } | { readonly cancel: true })

export type FromHost = { readonly id: number } & (
  | { readonly answer: HostAnswer }
  | { readonly failure: PlainError }
  | { readonly progress: DownloadProgress }
  | { readonly warning: string }
)
