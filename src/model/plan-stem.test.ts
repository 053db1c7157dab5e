/** Compares the hMLP stem with convolutions written out by their definition, since its layout of patches is ours and not the library's. */
import { expect, test } from 'vitest'
import { Network } from '../encoder/network.js'
import { createReferenceEngine } from '../engine/reference/reference-engine.js'
import { ACTIVATIONS } from '../kernels/activation.js'
import { toFloat32 } from '../tensor/tensor.js'
import { hashedCheckpoint } from '../verify/hashed-checkpoint.js'
import { readVit } from './read-vit.js'

type Image = number[][][] // [channel][y][x]

const small = { num_layers: 1, num_heads: 2, hidden_dim: 32, mlp_dim: 32 }
const EPSILON = 1e-5

/** Computes out[o, y, x] = bias[o] + sum over i, ky, kx of weight[o, i, ky, kx] * image[i, y k + ky, x k + kx] */
function convolve(image: Image, weight: Float32Array, bias: Float32Array, k: number): Image {
  const [inputs, side] = [image.length, image[0].length / k]
  return Array.from(bias, (b, o) =>
    Array.from({ length: side }, (_, y) =>
      Array.from({ length: side }, (_, x) => {
        let sum = b
        for (let i = 0; i < inputs; i++) {
          for (let ky = 0; ky < k; ky++) {
            for (let kx = 0; kx < k; kx++) {
              sum += weight[((o * inputs + i) * k + ky) * k + kx] * image[i][y * k + ky][x * k + kx]
            }
          }
        }
        return sum
      }),
    ),
  )
}

const map = (image: Image, f: (value: number, channel: number, y: number, x: number) => number): Image =>
  image.map((plane, c) => plane.map((row, y) => row.map((value, x) => f(value, c, y, x))))

test.each(['vit_b16_hmlp', 'vit_b16_hmlp_bn'])(
  '%s: three convolutions, each with its norm, GELU between',
  async (name) => {
    const checkpoint = hashedCheckpoint(name, [32, 32], 'stem', small)
    const read = async (tensor: string) => toFloat32(await checkpoint.read(`conv_proj.${tensor}`))
    const pixels = Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => Math.sin(i * 0.37))

    let image: Image = [0, 1, 2].map((c) =>
      Array.from({ length: 32 }, (_, y) =>
        Array.from({ length: 32 }, (_, x) => pixels[(c * 32 + y) * 32 + x]),
      ),
    )
    for (const [stage, kernel] of [4, 2, 2].entries()) {
      image = convolve(image, await read(`${3 * stage}.weight`), await read(`${3 * stage}.bias`), kernel)
      const norm = 3 * stage + 1
      const [gain, shift] = [await read(`${norm}.weight`), await read(`${norm}.bias`)]
      const before = image
      if (name.endsWith('_bn')) {
        const [mean, variance] = [await read(`${norm}.running_mean`), await read(`${norm}.running_var`)]
        image = map(before, (v, c) => ((v - mean[c]) / Math.sqrt(variance[c] + EPSILON)) * gain[c] + shift[c])
      } else {
        image = map(before, (v, c, y, x) => {
          const column = before.map((plane) => plane[y][x])
          const mean = column.reduce((a, b) => a + b) / column.length
          const variance = column.reduce((a, b) => a + (b - mean) ** 2, 0) / column.length
          return ((v - mean) / Math.sqrt(variance + EPSILON)) * gain[c] + shift[c]
        })
      }
      if (stage < 2) image = map(image, ACTIVATIONS.gelu)
    }

    using network = await Network.load(
      readVit(checkpoint, { network: name, config: small }),
      createReferenceEngine(),
    )
    const values = await network.run(pixels, { grid: { rows: 2, columns: 2 }, outputs: ['conv_proj'] })
    const rows = values.get('conv_proj')
    if (rows === undefined) throw new Error('The network gave no conv_proj.')
    for (let cell = 0; cell < 4; cell++) {
      for (let c = 0; c < 32; c++) {
        expect(rows[cell * 32 + c]).toBeCloseTo(image[c][Math.floor(cell / 2)][cell % 2], 5)
      }
    }
  },
)
