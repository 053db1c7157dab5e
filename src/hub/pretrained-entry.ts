/** An entry holds what is known of published weights. */

export type WeightsFormat = 'pt' | 'safetensors'

export interface PretrainedEntry {
  /** The file lies in the folder at this address; without one, in Birder's own. */
  readonly url?: string
  readonly description: string
  /** [2] (height, width), in pixels. */
  readonly resolution: readonly number[]
  readonly formats: { readonly [format in WeightsFormat]?: PublishedFile }
  readonly net: { readonly network: string; readonly tag?: string; readonly epoch?: number }
  readonly task: string
}

export interface PublishedFile {
  /** Gives the length in MiB, rounded to one decimal. */
  readonly file_size: number
  /** Has 64 hexadecimal digits. */
  readonly sha256: string
}
