/** Reads what Birder writes into each of its files about input and output. */
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import type { PlainValue } from '../plain-value.js'

/** Is what Birder writes into its files about input and output; 0 stands for any number of images. */
export interface Signature {
  /** Describes each input; images are the first. */
  readonly inputs: readonly {
    /** [B, C, height, width]. */
    readonly data_shape: readonly number[]
  }[]
  /** Describes each output; class scores are the first. */
  readonly outputs: readonly {
    /** [B, N]; N is 0 for an encoder without a classifier. */
    readonly data_shape: readonly number[]
  }[]
}

/** Gives the size that the network was trained at, in pixels (height, width). Throws `CheckpointError` `malformed` for a signature without it. */
export function getSizeFromSignature(signature: Signature): readonly [height: number, width: number] {
  return [dimension(signature, 'inputs', 2), dimension(signature, 'inputs', 3)]
}

/** Counts the channels of an image, which is 3 for RGB. Throws `CheckpointError` `malformed` for a signature without it. */
export function getChannelsFromSignature(signature: Signature): number {
  return dimension(signature, 'inputs', 1)
}

/** Counts the classes, N: 0 for an image encoder without a classifier. Throws `CheckpointError` `malformed` for a signature without it. */
export function getNumLabelsFromSignature(signature: Signature): number {
  return dimension(signature, 'outputs', 1)
}

function dimension(signature: Signature, side: 'inputs' | 'outputs', axis: number): number {
  const size = signature[side][0]?.data_shape[axis]
  if (size !== undefined) return size
  throw new CheckpointError(
    'malformed',
    `The signature has no dimension ${axis} of the first of its ${side}: expected what Birder writes, such as [0, 3, 224, 224].`,
  )
}

/** Finds the signature of a file that has passed `readVit`, which has looked at the shapes inside. */
export function signatureOf(metadata: { readonly [key: string]: PlainValue }, label: string): Signature {
  const { signature } = metadata
  if (
    typeof signature === 'object' &&
    signature !== null &&
    'inputs' in signature &&
    'outputs' in signature
  ) {
    return signature as unknown as Signature
  }
  throw new CheckpointError(
    'malformed',
    `${label} has no signature, so it is no file that Birder wrote. Open it with loadEncoder instead.`,
  )
}
