/**
 * Writes the same vision transformer for ONNX Runtime: Birder's ViT with class token, registers and layer scale, as an exporter would write it after
 * ONNX Runtime's transformer optimiser (with fused attention and GELU), and with weights in an external file.
 */
import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import onnxProto from 'onnx-proto'

const { onnx } = onnxProto
const FLOAT = 1
const INT64 = 7
const EXTERNAL = 1

/**
 * @param {object} options
 * @param {{ tensors: ReadonlyMap<string, { shape: readonly number[] }>, read(name: string): Promise<Float32Array> }} options.weights have Birder's names
 * @param {{ width: number, heads: number, depth: number, patchSize: number, size: readonly [number, number] }} options.config
 * @param {string} options.path is where the .onnx goes; the weights go beside it with `.data` added
 */
export async function writeOnnxVit({ weights, config, path }) {
  const graph = new Graph(`${path}.data`)
  const layers = new Layers(graph, weights)
  let x = await tokens(graph, layers, config)
  for (let i = 0; i < config.depth; i++) x = await block(graph, layers, config, x, `encoder.block.${i}`)
  const normed = await layers.norm(x, 'norm')
  graph.node('Gather', [normed, graph.scalar('zero', 0)], { axis: 1 }, '', 'embedding')
  graph.node('Identity', [normed], {}, '', 'tokens')
  await graph.write(path, config.size)
}

/** Puts the class token and the registers before the patches with their positions. */
async function tokens(graph, layers, { width, patchSize, size }) {
  const cells = (size[0] / patchSize) * (size[1] / patchSize)
  const convolved = graph.node(
    'Conv',
    ['pixels', await layers.vector('conv_proj.weight'), await layers.vector('conv_proj.bias')],
    { kernel_shape: [patchSize, patchSize], strides: [patchSize, patchSize] },
  )
  const flat = graph.node('Reshape', [convolved, graph.ints('flat', [0, width, cells])])
  const rows = graph.node('Transpose', [flat], { perm: [0, 2, 1] })
  const patches = graph.node('Add', [rows, await layers.vector('pos_embedding')])
  const batch = graph.node('Gather', [graph.node('Shape', ['pixels']), graph.ints('first', [0])], { axis: 0 })
  const expand = async (name) => {
    const rest = graph.ints(`${name}.rest`, layers.shapeOf(name).slice(1))
    const shape = graph.node('Concat', [batch, rest], { axis: 0 })
    return graph.node('Expand', [await layers.vector(name), shape])
  }
  const special = [await expand('class_token'), await expand('reg_tokens')]
  return graph.node('Concat', [...special, patches], { axis: 1 })
}

/** Adds attention, then the two linear layers, to the tokens, both scaled. */
async function block(graph, layers, { width, heads }, x, name) {
  const scaledSum = async (branch, gamma) =>
    graph.node('Add', [x, graph.node('Mul', [branch, await layers.vector(gamma)])])
  const qkv = await layers.linear(await layers.norm(x, `${name}.norm1`), `${name}.attn.qkv`)
  const thirds = graph.ints('thirds', [width, width, width])
  const [q, k, v] = graph.nodes('Split', [qkv, thirds], { axis: -1 }, 3)
  const attended = graph.node('MultiHeadAttention', [q, k, v], { num_heads: heads }, 'com.microsoft')
  const projected = await layers.linear(attended, `${name}.attn.proj`)
  x = await scaledSum(projected, `${name}.layer_scale_1.gamma`)
  const inner = await layers.linear(await layers.norm(x, `${name}.norm2`), `${name}.mlp.0`)
  const outer = await layers.linear(graph.node('Gelu', [inner], {}, 'com.microsoft'), `${name}.mlp.3`)
  return await scaledSum(outer, `${name}.layer_scale_2.gamma`)
}

/** Adds layers to the graph whose weights have Birder's names. */
class Layers {
  #graph
  #weights

  constructor(graph, weights) {
    this.#graph = graph
    this.#weights = weights
  }

  shapeOf(name) {
    return this.#weights.tensors.get(name).shape
  }

  async vector(name) {
    return await this.#graph.external(name, this.shapeOf(name), await this.#weights.read(name))
  }

  async linear(x, name) {
    const [N, K] = this.shapeOf(`${name}.weight`)
    const values = transposed(await this.#weights.read(`${name}.weight`), N, K)
    const matrix = await this.#graph.external(`${name}.weight`, [K, N], values)
    return this.#graph.node('Add', [
      this.#graph.node('MatMul', [x, matrix]),
      await this.vector(`${name}.bias`),
    ])
  }

  async norm(x, name) {
    const weights = [await this.vector(`${name}.weight`), await this.vector(`${name}.bias`)]
    return this.#graph.node('LayerNormalization', [x, ...weights], { axis: -1, epsilon: 1e-6 })
  }
}

/** Turns [N, K] into [K, N]. */
function transposed(values, N, K) {
  const out = new Float32Array(values.length)
  for (let n = 0; n < N; n++) for (let k = 0; k < K; k++) out[k * N + n] = values[n * K + k]
  return out
}

class Graph {
  #dataPath
  #data
  #offset = 0
  #initializers = new Map()
  #nodes = []
  #count = 0

  constructor(dataPath) {
    this.#dataPath = dataPath
    this.#data = createWriteStream(dataPath)
  }

  async external(name, dims, values) {
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
    const entries = { location: basename(this.#dataPath), offset: this.#offset, length: bytes.byteLength }
    const externalData = Object.entries(entries).map(([key, value]) => ({ key, value: `${value}` }))
    this.#initializers.set(name, { name, dims, dataType: FLOAT, dataLocation: EXTERNAL, externalData })
    this.#offset += bytes.byteLength
    if (!this.#data.write(bytes)) await new Promise((resolve) => this.#data.once('drain', resolve))
    return name
  }

  ints(name, values) {
    const rawData = new Uint8Array(new BigInt64Array(values.map(BigInt)).buffer)
    this.#initializers.set(name, { name, dims: [values.length], dataType: INT64, rawData })
    return name
  }

  scalar(name, value) {
    const rawData = new Uint8Array(BigInt64Array.of(BigInt(value)).buffer)
    this.#initializers.set(name, { name, dims: [], dataType: INT64, rawData })
    return name
  }

  node(opType, input, attributes = {}, domain = '', output = `v${this.#count++}`) {
    this.#add(opType, input, attributes, domain, [output])
    return output
  }

  nodes(opType, input, attributes, count) {
    const outputs = Array.from({ length: count }, () => `v${this.#count++}`)
    this.#add(opType, input, attributes, '', outputs)
    return outputs
  }

  #add(opType, input, attributes, domain, output) {
    const attribute = Object.entries(attributes).map(([name, value]) => {
      if (Array.isArray(value)) return { name, type: 7, ints: value }
      return Number.isInteger(value) ? { name, type: 2, i: value } : { name, type: 1, f: value }
    })
    this.#nodes.push({ name: `${opType}${this.#nodes.length}`, opType, input, output, attribute, domain })
  }

  async write(path, [height, width]) {
    await new Promise((resolve, reject) => {
      this.#data.on('error', reject)
      this.#data.end(resolve)
    })
    const value = (name, dims) => ({
      name,
      type: { tensorType: { elemType: FLOAT, shape: { dim: dims } } },
    })
    const batch = { dimParam: 'batch' }
    const fixed = (dimValue) => ({ dimValue })
    const model = onnx.ModelProto.fromObject({
      irVersion: 8,
      opsetImport: [
        { domain: '', version: 17 },
        { domain: 'com.microsoft', version: 1 },
      ],
      graph: {
        name: 'vit',
        node: this.#nodes,
        initializer: [...this.#initializers.values()],
        input: [value('pixels', [batch, fixed(3), fixed(height), fixed(width)])],
        output: [
          value('embedding', [batch, { dimParam: 'width' }]),
          value('tokens', [batch, { dimParam: 'tokens' }, { dimParam: 'width' }]),
        ],
      },
    })
    await writeFile(path, onnx.ModelProto.encode(model).finish())
  }
}
