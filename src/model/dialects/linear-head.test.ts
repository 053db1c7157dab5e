import { expect, test } from 'vitest'
import { linear, type Shapes, TINY_NETWORKS, tinyCheckpoint } from '../../../test/support/tiny-networks.js'
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { readVit } from '../read-vit.js'
import type { VitHints } from './dialect.js'

const { facebook, timm, 'hugging-face': huggingFace } = TINY_NETWORKS
const WIDTH = 4

function withHead(network: Shapes, own: Shapes, metadata: Checkpoint['metadata'] = {}): Checkpoint {
  const prefixed = Object.entries(own).map(([name, shape]) => [`vision_head.${name}`, shape] as const)
  const made = tinyCheckpoint({ ...network, ...Object.fromEntries(prefixed) })
  return { ...made, head: 'head.pth', metadata: { ...made.metadata, ...metadata } }
}
const read = (network: Shapes, own: Shapes, hints: VitHints = {}) =>
  readVit(withHead(network, own), { heads: 2, ...hints })

const flat = (columns: number): Shapes => ({ weight: [3, columns], bias: [3] })

test.each([
  ['facebook', facebook],
  ['hugging-face', huggingFace],
])("DINOv2's stands on one whose layout is that of %s, and leaves its embedding as it is", (_, network) => {
  const { config, weightShapes } = read(network, flat(2 * WIDTH))
  expect(config).toMatchObject({
    head: null,
    embedding: 'class',
    classifier: { classes: 3, kind: 'class-and-mean', bias: true },
  })
  expect(weightShapes.get('classifier.mean.weight')).toEqual([3, WIDTH])
})

/** Gives the columns of the whole matrix that a canonical weight has, found by their values. */
async function columnsOf(own: Shapes, name: string): Promise<readonly number[]> {
  const { weights, storedAs } = read(facebook, own)
  const [part] = storedAs.weight(name, [3, WIDTH]).parts
  const columns = part?.shape[1] ?? 0
  const whole = Float32Array.from({ length: 3 * columns }, (_, at) => at)
  const values = storedAs.weight(name, [3, WIDTH]).combine(whole)
  expect(await weights.read(name, [3, WIDTH])).toHaveLength(3 * WIDTH)
  expect([...values.subarray(WIDTH, 2 * WIDTH)]).toEqual(
    [...values.subarray(0, WIDTH)].map((value) => value + columns),
  )
  return [...values.subarray(0, WIDTH)]
}

test("class token and mean patch lie one behind the other for DINOv2, and take turns for the first DINO, as eval_linear.py's reshape puts them", async () => {
  expect(await columnsOf(flat(2 * WIDTH), 'classifier.mean.weight')).toEqual([4, 5, 6, 7])
  const dino = linear('linear', 3, 2 * WIDTH)
  expect(await columnsOf(dino, 'classifier.class.weight')).toEqual([0, 2, 4, 6])
  expect(await columnsOf(dino, 'classifier.mean.weight')).toEqual([1, 3, 5, 7])
})

test.each<readonly [string, Shapes, Shapes, VitHints, string]>([
  [
    'of another width',
    facebook,
    flat(9),
    {},
    '9 columns, and on the network of it, which is 4 wide, one of DINOv2 has 8 or 20',
  ],
  [
    'of more blocks than there are',
    facebook,
    flat(5 * WIDTH),
    {},
    'reads the last 4 blocks, and the network of it has 1',
  ],
  [
    'of four blocks of the first DINO on so few',
    facebook,
    linear('linear', 3, 4 * WIDTH),
    {},
    'reads the last 4 blocks',
  ],
  ['with a tensor more', facebook, { ...flat(2 * WIDTH), more: [1] }, {}, 'head.pth has a tensor more that'],
  [
    'on a network with a classifier',
    { ...timm, ...linear('head', 7, 4) },
    flat(8),
    {},
    'without a classifier',
  ],
  [
    "told how dino.txt's pools",
    facebook,
    flat(8),
    { headPooling: 'max' },
    "for dino.txt's vision head, and head.pth is another",
  ],
])('one %s is refused', (_what, network, own, hints, message) => {
  expect(() => read(network, own, hints)).toThrow(
    expect.objectContaining({ name: 'CheckpointError', message: expect.stringContaining(message) }),
  )
})

test('alone it is refused with what to give instead, and one that was trained here with the option that takes it', () => {
  expect(() => readVit(tinyCheckpoint(flat(8)))).toThrow(/this file as its head/)
  expect(() => readVit(tinyCheckpoint(linear('linear', 3, 8)))).toThrow(/this file as its head/)
  const trained = withHead(facebook, flat(8), { temperature: '1', identity: '{}' })
  expect(() => readVit(trained, { heads: 2 })).toThrow(/--classifier/)
})

test('a whole network given as a head is told as such, and not what lies in its file', () => {
  const other = withHead(facebook, linear('blocks.0.mlp.fc1', 8, WIDTH), { signature: '{}' })
  expect(() => readVit(other, { heads: 2 })).toThrow(/head\.pth is no vision head .* no linear classifier/)
})
