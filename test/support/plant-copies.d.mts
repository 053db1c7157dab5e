/** Makes a photo's file of a photo's file. */
export type Planter = (photo: Buffer, random: () => number, other: Buffer) => Promise<Buffer>

export type CopyKind =
  | 'resize'
  | 'recompress'
  | 'turned'
  | 'mirrored'
  | 'grey'
  | 'brightened'
  | 'watermark'
  | 'crop'
  | 'screenshot'
  | 'half'

/** Gives numbers from 0 up to but without 1, the same for the same seed. */
export function drawingFrom(seed: number): () => number

export const COPIES: Readonly<Record<CopyKind, Planter>>
export const LOOKALIKES: Readonly<Record<'moved' | 'aside' | 'another', Planter>>
