/** Writes the same network for every system: hashed weights once, and the forms that peers read made from them. Files are kept and reused. */
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dist } from './dist.mjs'
import { isOfTransformers } from './networks.mjs'
import { pythonPath } from './systems.mjs'
import { writeModel } from './write-model.mjs'

/** @typedef {'safetensors' | 'onnx' | 'onnx-int8' | 'openvino' | 'openvino-int8'} Form */

export const folder = fileURLToPath(new URL('../.plumage/bench/', import.meta.url))

/** A file of pixels holds so many images, which is the largest batch. */
export const MOST_IMAGES = 8

/**
 * @param {string} network
 * @param {number} side
 * @param {Form} form
 * @returns {Promise<string>} the file's path
 */
export async function modelFile(network, side, form) {
  mkdirSync(folder, { recursive: true })
  const base = join(folder, `${network}_${side}`)
  const of = (wanted) => modelFile(network, side, wanted)
  switch (form) {
    case 'safetensors': {
      if (isOfTransformers(network))
        return join(await python(base, 'write_transformers.py', [network, side]), 'model.safetensors')
      const { hashedCheckpoint } = await dist('verify/hashed-checkpoint.js')
      return writeModel(hashedCheckpoint(network, [side, side], 'large-1'), `${base}.safetensors`)
    }
    case 'onnx':
      return isOfTransformers(network)
        ? python(`${base}.onnx`, 'export_onnx.py', [network, side, await of('safetensors')])
        : once(`${base}.onnx`, () => writeOnnx(network, side, `${base}.onnx`))
    case 'onnx-int8':
      return python(`${base}.int8.onnx`, 'quantise_onnx.py', [await of('onnx')])
    case 'openvino':
      return python(`${base}.openvino.xml`, 'convert_openvino.py', [network, side, await of('safetensors')])
    case 'openvino-int8': {
      const inputs = [await of('openvino'), pixelFile(side), side]
      return python(`${base}.openvino-int8.xml`, 'quantise_openvino.py', inputs)
    }
  }
}

/** Reads a model's file, and the one beside it that holds its weights, so that a cold start does not wait for the disk. */
export function intoPageCache(path) {
  const buffer = Buffer.allocUnsafe(2 ** 24)
  for (const file of [path, `${path}.data`, path.replace(/\.xml$/, '.bin')].filter(existsSync)) {
    const handle = openSync(file)
    while (readSync(handle, buffer) > 0);
    closeSync(handle)
  }
}

/** Writes images of smooth shapes with some noise, normalised, as float32 [8, 3, side, side]. */
export function pixelFile(side) {
  const path = join(folder, `pixels_${side}.f32`)
  if (existsSync(path)) return path
  const values = new Float32Array(MOST_IMAGES * 3 * side * side)
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return state / 2 ** 31
  }
  for (let plane = 0; plane < MOST_IMAGES * 3; plane++) {
    const waves = Array.from({ length: 6 }, () => [random() * 9, random() * 9, random() * Math.PI, random()])
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        let value = 0.2 * random()
        for (const [down, right, phase, height] of waves)
          value += height * Math.sin((down * y + right * x) / side + phase)
        values[(plane * side + y) * side + x] = value
      }
    }
  }
  writeFileSync(`${path}.new`, values)
  renameSync(`${path}.new`, path)
  return path
}

async function writeOnnx(network, side, path) {
  const [{ writeOnnxVit }, { hashedCheckpoint }, { readVit }, { toFloat32 }] = await Promise.all([
    import('./onnx-vit.mjs'),
    dist('verify/hashed-checkpoint.js'),
    dist('model/read-vit.js'),
    dist('tensor/tensor.js'),
  ])
  const checkpoint = hashedCheckpoint(network, [side, side], 'large-1')
  const { config } = readVit(checkpoint, { network })
  const weights = {
    tensors: checkpoint.tensors,
    read: async (tensor) => toFloat32(await checkpoint.read(tensor)),
  }
  await writeOnnxVit({ weights, config, path })
}

function python(path, script, inputs) {
  return once(path, () => runPython(script, [...inputs, path]))
}

/** @returns {string} what it printed */
export function runPython(script, inputs) {
  if (!existsSync(pythonPath)) throw new Error(`${script} needs what npm run bench -- --peers installs.`)
  const program = fileURLToPath(new URL(`peers/${script}`, import.meta.url))
  const { status, stdout, stderr } = spawnSync(pythonPath, [program, ...inputs.map(String)], {
    encoding: 'utf8',
    maxBuffer: 1e8,
  })
  if (status === 0) return stdout
  throw new Error(`${script} failed: ${stderr.trim().split('\n').at(-1)}`)
}

/** Half a file is none: what a failed attempt left is removed. */
async function once(path, make) {
  if (existsSync(path)) return path
  try {
    await make()
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  }
  return path
}
