/** Says what is known of published weights. */

/** Names a format in which weights are published. */
export type WeightsFormat = 'pt' | 'safetensors'

/** Describes published weights, with the fields of Birder's list. */
export interface PretrainedEntry {
  /** The file lies in the folder at this address; without one, in Birder's own. */
  readonly url?: string
  /** Says in a sentence or two what they are. */
  readonly description: string
  /** [2] (height, width), in pixels. */
  readonly resolution: readonly number[]
  /** Holds the file of each format that is published. */
  readonly formats: { readonly [format in WeightsFormat]?: PublishedFile }
  /** Names the network, and how its weights came about. */
  readonly net: {
    /** Is Birder's name of the network. */
    readonly network: string
    /** Names the training. */
    readonly tag?: string
    /** Counts the epochs of the training, where the name tells them. */
    readonly epoch?: number
  }
  /** Names what they were made for. */
  readonly task: string
}

/** Describes a published file. */
export interface PublishedFile {
  /** Gives the length in MiB, rounded to one decimal. */
  readonly file_size: number
  /** Has 64 hexadecimal digits. */
  readonly sha256: string
}
