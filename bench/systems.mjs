/** Lists what is compared: each system with the precision it runs in, the program that runs it, and the form of the model that it reads. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const windows = process.platform === 'win32'
/** A Python of one's own that has what peers/requirements.txt names may be given instead. */
export const pythonPath =
  process.env.PLUMAGE_BENCH_PYTHON ?? here(windows ? '.venv/Scripts/python.exe' : '.venv/bin/python')

/**
 * @typedef {object} System
 * @property {string} id is how `--systems` names it, whole or by what stands before a dash
 * @property {string} name is for people
 * @property {string} precision
 * @property {string} program is a worker's path
 * @property {import('./model-files.mjs').Form} form is that of the model
 * @property {object} [settings] are what else the worker's task holds
 */

const plumage = (precision, engine = 'native') => ({
  id: `plumage-${precision}`,
  name: 'Plumage',
  precision,
  program: here('workers/plumage.mjs'),
  form: 'safetensors',
  settings: { engine },
})
const onnxruntime = (precision, form) => ({
  id: `onnxruntime-${precision}`,
  name: 'onnxruntime-node',
  precision,
  program: here('workers/onnxruntime.mjs'),
  form,
})
const pytorch = (precision, { compiled = false, device = 'cpu' } = {}) => ({
  id: `pytorch-${compiled ? 'compiled-' : ''}${precision}`,
  name: compiled ? 'PyTorch, compiled' : 'PyTorch',
  precision,
  program: here('peers/pytorch_peer.py'),
  form: 'safetensors',
  settings: { compiled, device },
})
const openvino = (precision, form, hint) => ({
  id: `openvino-${precision}`,
  name: 'OpenVINO',
  precision,
  program: here('peers/openvino_peer.py'),
  form,
  settings: { hint },
})

/** @type {readonly System[]} */
export const SYSTEMS = [
  plumage('float32'),
  plumage('high'),
  plumage('bfloat16'),
  plumage('int8'),
  onnxruntime('float32', 'onnx'),
  onnxruntime('int8', 'onnx-int8'),
  openvino('float32', 'openvino', 'f32'),
  openvino('bfloat16', 'openvino', 'bf16'),
  openvino('int8', 'openvino-int8', 'bf16'),
  pytorch('float32'),
  pytorch('bfloat16'),
  pytorch('bfloat16', { compiled: true }),
]

/** These run on a GPU, from pixels and to embeddings in the computer's own memory. @type {readonly System[]} */
export const GPU_SYSTEMS = [
  plumage('float32', 'webgpu'),
  plumage('float16', 'webgpu'),
  pytorch('float32', { device: 'cuda' }),
  pytorch('float16', { device: 'cuda' }),
]

/** Finds the systems that a list of ids, or of the words before a dash in them, means. Throws where one means nothing. */
export function chooseSystems(list, systems = SYSTEMS) {
  if (list === undefined) return systems
  const chosen = new Set()
  for (const word of list.split(',')) {
    const found = systems.filter(({ id }) => id === word || id.startsWith(`${word}-`))
    if (found.length === 0)
      throw new Error(`No system is named ${word}; there are ${systems.map(({ id }) => id).join(', ')}.`)
    for (const system of found) chosen.add(system)
  }
  return systems.filter((system) => chosen.has(system))
}

/** Says why a system cannot run here, as far as can be seen without trying; it is null where it may. */
export function absenceOf({ program, form }) {
  const python = program.endsWith('.py') || form === 'onnx-int8'
  if (python && !existsSync(pythonPath)) return 'not installed: npm run bench -- --peers'
  if (!form.startsWith('onnx')) return null
  try {
    createRequire(import.meta.url)('onnxruntime-node')
    return null
  } catch (error) {
    return `onnxruntime-node cannot be loaded: ${error.message.split('\n')[0]}`
  }
}

/** @returns {[string, string[]]} the command and the arguments of a worker */
export function commandOf({ program }) {
  return [program.endsWith('.py') ? pythonPath : process.execPath, [program]]
}
