/** Proves pairs of photos one after the other, on one thread, and keeps their pictures for as long as it is told to. */
import type { RgbPixels } from '../../numerics/reduce-pixels.js'
import { type PictureProof, pictureOf, proveSame, type ReducedPicture } from '../../numerics/same-picture.js'

/** Is a photo read small, and how large the photo itself is. */
export interface SmallPixels {
  readonly image: RgbPixels
  readonly height: number
  readonly width: number
}

/** Proves pairs of pictures that it was given. */
export interface ProofLane {
  /** Takes a picture in. Its pixels are the lane's from then on. */
  add(key: string, pixels: SmallPixels): void
  drop(key: string): void
  /** Says how the one lies in the other, both of which it has; null where they are not proven to be the same picture. Throws where its thread has ended. */
  prove(first: string, second: string): Promise<PictureProof | null>
}

/** Proves on the thread that calls it. */
export class OwnLane implements ProofLane {
  readonly #pictures = new Map<string, ReducedPicture>()

  add(key: string, { image, ...size }: SmallPixels): void {
    this.#pictures.set(key, pictureOf(image, size))
  }

  drop(key: string): void {
    this.#pictures.delete(key)
  }

  async prove(first: string, second: string): Promise<PictureProof | null> {
    return proveSame(this.#picture(first), this.#picture(second))
  }

  #picture(key: string): ReducedPicture {
    const picture = this.#pictures.get(key)
    if (picture === undefined) throw new RangeError(`There is no picture ${key}.`)
    return picture
  }
}
