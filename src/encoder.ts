/** The hallway: images in, features out. What it is made of lies in `encoder/`. */
export { createEncoder, type EncoderParts } from './encoder/create-encoder.js'
export type * from './encoder/types.js'
