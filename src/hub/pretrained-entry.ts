/** What is known of published weights. */

export type WeightsFormat = 'pt' | 'safetensors'

export interface PretrainedEntry {
  /** The folder that the file lies in; without it, Birder's own. */
  readonly url?: string
  readonly description: string
  /** (height, width) in pixels */
  readonly resolution: readonly number[]
  readonly formats: { readonly [format in WeightsFormat]?: PublishedFile }
  readonly net: { readonly network: string; readonly tag?: string; readonly epoch?: number }
  readonly task: string
}

export interface PublishedFile {
  /** MiB, to one decimal */
  readonly file_size: number
  /** 64 hexadecimal digits */
  readonly sha256: string
}
