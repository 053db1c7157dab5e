/** Compares with the answers that are committed, and with the libraries themselves where a Python has them. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { unitRows } from '../../src/numerics/lengths.js'
import { plainProducts } from '../../src/numerics/products.js'
import { seededRandom } from '../../src/numerics/seeded-random.js'
import { createProducts } from '../../src/platform/node/create-products.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { MINI } from '../support/mini.js'
import { pythonWith } from '../support/python.js'
import { packageRoot } from '../support/repository.js'
import { expectAgreement, type LabelAnswers, type LabelCase } from './agreement.js'

const committed: Readonly<Record<string, LabelCase & { readonly expected: LabelAnswers }>> = JSON.parse(
  readFileSync(join(import.meta.dirname, 'labels.expected.json'), 'utf8'),
)
const fast = createProducts()
afterAll(() => fast[Symbol.asyncDispose]())

describe.each(Object.entries(committed))('%s', (_name, { expected, ...given }) => {
  test.each([
    ['plain loops', plainProducts],
    ['the products of this machine', fast],
  ])('has the numbers of the libraries in %s', async (_how, products) => {
    await expectAgreement(given, expected, products)
  })
})

const { python, lacks } = pythonWith(['scikit-learn', 'cleanlab', 'statsmodels', 'safetensors'])
if (lacks !== null) console.warn(lacks)

test.skipIf(lacks !== null)('other rows have the numbers that the libraries give of them now', async () => {
  const cases = { five: drawn(5, [30, 28, 25, 22, 20], 10, 0.8) }
  const answers = ask(cases)
  for (const [name, given] of Object.entries(cases)) {
    const expected = answers[name]
    if (expected === undefined) throw new Error(`the libraries gave nothing for ${name}`)
    await expectAgreement(given, expected, fast)
  }
})

test.skipIf(lacks !== null)(
  'embedded photos of clothing have the numbers that the libraries give of them',
  async () => {
    const given = await clothing()
    const { photos } = ask({ photos: given })
    if (photos === undefined) throw new Error('the libraries gave nothing')
    await expectAgreement(given, photos, fast)
  },
)

/** Embeds the twelve photos that are here, or all of a folder whose name PLUMAGE_CLOTHING says: a class is a folder, or the beginning of a name such as hat-1.jpg. */
async function clothing(): Promise<LabelCase> {
  const folder = process.env.PLUMAGE_CLOTHING ?? join(packageRoot, 'examples/photos')
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.jpe?g$/i.test(name),
  )
  const classOf = (path: string) => path.split(sep).slice(-2, -1)[0] ?? path.replace(/-\d+\.\w+$/, '')
  await using encoder = await loadEncoder(MINI)
  const features: number[][] = []
  const kinds: string[] = []
  for await (const { source, features: found } of encoder.encodeAll(
    paths.sort().map((path) => join(folder, path)),
  )) {
    if (found === undefined) continue
    kinds.push(classOf(relative(folder, source)))
    features.push([...unitRows(found.embedding, found.embedding.length)])
  }
  const names = [...new Set(kinds)].sort()
  const labels = kinds.map((kind) => names.indexOf(kind))
  return { features, labels, classes: names.length, folds: 3, c: 10 }
}

function ask(cases: Readonly<Record<string, LabelCase>>): Readonly<Record<string, LabelAnswers>> {
  const script = join(import.meta.dirname, 'make-expected.py')
  const { status, stdout, stderr } = spawnSync(python, [script, '--live'], {
    input: JSON.stringify(cases),
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  expect(status, stderr).toBe(0)
  return JSON.parse(stdout)
}

/** Draws rows around a centre for each class. */
function drawn(seed: number, counts: readonly number[], width: number, spread: number): LabelCase {
  const random = seededRandom(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const centres = counts.map(() => Array.from({ length: width }, normal))
  const labels = counts.flatMap((count, label) => new Array<number>(count).fill(label))
  const features = labels.map((label) => {
    const row = Array.from({ length: width }, (_, i) => (centres[label]?.[i] ?? 0) + spread * normal())
    const length = Math.hypot(...row)
    return row.map((value) => Math.fround(value / length))
  })
  return { features, labels, classes: counts.length, folds: 5, c: 10 }
}
