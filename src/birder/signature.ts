/** What Birder writes into each of its files about input and output. */
import type { PlainValue } from '../checkpoint/checkpoint.js'
import { CheckpointError } from '../checkpoint/checkpoint-error.js'

export interface Signature {
  readonly inputs: readonly { readonly data_shape: readonly number[] }[]
  readonly outputs: readonly { readonly data_shape: readonly number[] }[]
}

/** The size that the network was trained at, pixels (height, width). */
export function getSizeFromSignature(signature: Signature): readonly [height: number, width: number] {
  const [, , height, width] = signature.inputs[0].data_shape
  return [height, width]
}

export function getChannelsFromSignature(signature: Signature): number {
  return signature.inputs[0].data_shape[1]
}

/** 0 for an image encoder without a classifier. */
export function getNumLabelsFromSignature(signature: Signature): number {
  return signature.outputs[0].data_shape[1]
}

/** For a file that has passed `readVit`, which has looked at the shapes inside. */
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
