/**
 * Holds groups and maps against scikit-learn, hdbscan and umap-learn: against what they said of some made rows, which lies beside this file, and, where there is a
 * Python that has them, against what they say now of more rows. With --update the former is written anew.
 */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { fuzzyUnion, memberships } from '../../src/numerics/fuzzy-graph.js'
import { type DensityClusters, hdbscan, hdbscanOnGraph } from '../../src/numerics/hdbscan.js'
import { kMeans } from '../../src/numerics/k-means.js'
import { unitRows } from '../../src/numerics/lengths.js'
import { fitMapCurve } from '../../src/numerics/map-curve.js'
import { firstNeighbours, neighbourGraph } from '../../src/numerics/neighbour-graph.js'
import { adjustedRandIndex } from '../../src/numerics/rand-index.js'
import { silhouette } from '../../src/numerics/silhouette.js'
import { trustworthiness } from '../../src/numerics/trustworthiness.js'
import { mapRows } from '../../src/numerics/umap.js'
import { createProducts } from '../../src/platform/node/create-products.js'
import { ownFolder } from '../support/made-once.js'
import { madeRows } from '../support/made-rows.js'
import { pythonCollectionsOrReason } from '../support/python-collections.js'

interface Groups {
  readonly labels: readonly number[]
  readonly probabilities: readonly number[]
}

interface Answer {
  readonly inertia: number
  readonly unitInertia: number
  readonly unitLabels: readonly number[]
  readonly silhouette: number
  readonly mass: Groups
  readonly leaf: Groups
  readonly package: Groups
  readonly curves: readonly (readonly number[])[]
  readonly edges: {
    readonly starts: readonly number[]
    readonly ends: readonly number[]
    readonly weights: readonly number[]
  }
  readonly ofPoints: number
  readonly trustworthiness?: number
}

const GOLDEN = join(import.meta.dirname, 'groups-and-maps.jsonl')
/** The golden is of few rows; there are groups of some tens and of a few. */
const FEW = { total: 160, width: 8, clusters: 5, leastRows: 5, samples: 4 }
const MANY = { total: 1500, width: 32, clusters: 12, leastRows: 10, samples: 5 }
type Asked = typeof FEW

const products = createProducts()
afterAll(() => products[Symbol.asyncDispose]())

/** Says how near two groupings must be: the same but for rows whose distances are equal within float32. */
const AGREED = 0.95

async function compare(asked: Asked, answer: Answer): Promise<void> {
  const { total, width, clusters, leastRows, samples } = asked
  const { rows } = madeRows(total, width, clusters)
  const units = unitRows(rows, width)
  const plain = await kMeans([rows], width, clusters, { products, starts: 10 })
  expect(plain.inertia).toBeLessThan(1.01 * answer.inertia)
  const round = await kMeans([units], width, clusters, { products, starts: 10 })
  expect(round.inertia).toBeLessThan(1.01 * answer.unitInertia)
  const alike = await products.similarity(units, units, width)
  expect(silhouette(alike, Int32Array.from(answer.unitLabels), clusters)).toBeCloseTo(answer.silhouette, 4)
  const graph = await neighbourGraph([rows], width, 30, { products })
  for (const choice of ['mass', 'leaf'] as const) {
    const exact = await hdbscan([rows], width, { leastRows, samples, choice, products })
    expectAgreed(exact, answer[choice])
    const onGraph = await hdbscanOnGraph(graph, [rows], width, { leastRows, samples, choice, products })
    expect(adjustedRandIndex(onGraph.labels, exact.labels)).toBeGreaterThan(0.9)
  }
  expectAgreed(await hdbscan([rows], width, { leastRows, samples, products }), answer.package)
  for (const [i, distance] of [0, 0.1, 0.5].entries()) {
    const { a, b } = fitMapCurve(distance)
    expect([a, b].map((value) => value.toFixed(4))).toEqual(
      answer.curves[i]?.map((value) => value.toFixed(4)),
    )
  }
  const used = firstNeighbours(graph, 14)
  const edges = fuzzyUnion(used, memberships(used))
  expect([...edges.starts]).toEqual(answer.edges.starts)
  expect([...edges.ends]).toEqual(answer.edges.ends)
  for (const [i, weight] of edges.weights.entries())
    expect(weight).toBeCloseTo(answer.edges.weights[i] ?? 0, 3)
  expect(await trustworthiness(rows, width, pointsOf(asked), 15, { products })).toBeCloseTo(
    answer.ofPoints,
    5,
  )
  if (answer.trustworthiness === undefined) return
  const points = await mapRows(graph, [rows], width, { products })
  const own = await trustworthiness(rows, width, points, 15, { products })
  expect(own).toBeGreaterThan(answer.trustworthiness - 0.02)
}

function expectAgreed(found: DensityClusters, { labels, probabilities }: Groups): void {
  expect(adjustedRandIndex(found.labels, Int32Array.from(labels))).toBeGreaterThanOrEqual(AGREED)
  const near = found.probabilities.filter((own, row) => Math.abs(own - (probabilities[row] ?? 0)) < 1e-3)
  expect(near.length).toBeGreaterThanOrEqual(AGREED * labels.length)
}

/** A map whose trustworthiness is asked for need not be a good one. */
function pointsOf({ total, width, clusters }: Asked): Float32Array {
  const { rows } = madeRows(total, width, clusters)
  return Float32Array.from({ length: 2 * total }, (_, i) => rows[(i >> 1) * width + (i & 1)] ?? 0)
}

test('groups and maps are those that scikit-learn, hdbscan and umap-learn gave', async () => {
  await compare(FEW, JSON.parse(readFileSync(GOLDEN, 'utf8')) as Answer)
})

const found = pythonCollectionsOrReason()
if ('reason' in found) console.warn(`Left out: ${found.reason}.`)

describe.skipIf('reason' in found)('with the libraries themselves', () => {
  const folder = ownFolder('reference-groups')

  /** Most of the time is that of importing the libraries and of compiling what they compile. */
  const MOST_MS = 300_000

  async function ask(asked: Asked, fits: boolean): Promise<string> {
    const { total, width, clusters } = asked
    const [rowsPath, askedPath] = [join(folder, 'rows.f32'), join(folder, 'asked.json')]
    writeFileSync(rowsPath, madeRows(total, width, clusters).rows)
    const points = pointsOf(asked)
    const pairs = Array.from({ length: total }, (_, row) => [...points.subarray(2 * row, 2 * row + 2)])
    writeFileSync(askedPath, JSON.stringify({ ...asked, points: pairs, fits }))
    const script = join(import.meta.dirname, 'reference_groups.py')
    const python = 'python' in found ? found.python : ''
    const { stdout } = await promisify(execFile)(python, [script, rowsPath, String(width), askedPath], {
      maxBuffer: 1 << 28,
    })
    return stdout
  }

  test(
    'what lies beside this file is what they say',
    async () => {
      await expect(`${await ask(FEW, false)}\n`).toMatchFileSnapshot(GOLDEN)
    },
    MOST_MS,
  )

  test(
    'more rows have the same groups, and their map is as trustworthy',
    async () => {
      await compare(MANY, JSON.parse(await ask(MANY, true)) as Answer)
    },
    MOST_MS,
  )
})
