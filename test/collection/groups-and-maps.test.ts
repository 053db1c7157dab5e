/**
 * Holds groups and maps against scikit-learn, hdbscan and umap-learn: against what they said of some made rows, which lies beside this file, and, where there is a
 * Python that has them, against what they say now of more rows. With --update the former is written anew.
 */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
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
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { concatenate } from '../../src/tensor/concatenate.js'
import { ownFolder } from '../support/made-once.js'
import { madeRows } from '../support/made-rows.js'
import { MINI } from '../support/mini.js'
import { pythonWith } from '../support/python.js'

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
/** Names a folder with some hundred photos of clothing at least. */
const CLOTHING = process.env.PLUMAGE_CLOTHING
/** The golden is of few rows; there are groups of some tens and of a few. */
const FEW: Asked = { rows: madeRows(160, 8, 5).rows, width: 8, clusters: 5, leastRows: 5, samples: 4 }
const MANY: Asked = { rows: madeRows(1500, 32, 12).rows, width: 32, clusters: 12, leastRows: 10, samples: 5 }

interface Asked {
  /** float32 [N, width] */
  readonly rows: Float32Array
  readonly width: number
  readonly clusters: number
  readonly leastRows: number
  readonly samples: number
}

const products = createProducts()
afterAll(() => products[Symbol.asyncDispose]())

/** Says how near two groupings must be: the same but for rows whose distances are equal within float32. */
const AGREED = 0.95

async function compareAll(asked: Asked, answer: Answer): Promise<void> {
  const { rows, width, clusters, leastRows, samples } = asked
  await compareMeans(asked, answer)
  const units = unitRows(rows, width)
  const alike = await products.similarity(units, units, width)
  expect(silhouette(alike, Int32Array.from(answer.unitLabels), clusters)).toBeCloseTo(answer.silhouette, 4)
  const graph = await neighbourGraph([rows], width, 30, { products })
  for (const choice of ['mass', 'leaf'] as const) {
    const exact = await hdbscan([rows], width, { leastRows, samples, choice, products })
    expectAgreed(exact, answer[choice])
    expectProbabilities(exact, answer[choice])
    const onGraph = await hdbscanOnGraph(graph, [rows], width, { leastRows, samples, choice, products })
    expect(adjustedRandIndex(onGraph.labels, exact.labels)).toBeGreaterThan(0.9)
  }
  expectAgreed(await hdbscan([rows], width, { leastRows, samples, products }), answer.package)
  for (const [i, distance] of [0, 0.1, 0.5].entries()) {
    const { a, b } = fitMapCurve(distance)
    const expected = answer.curves[i]?.map((value) => value.toFixed(4))
    expect([a, b].map((value) => value.toFixed(4))).toEqual(expected)
  }
  const used = firstNeighbours(graph, 14)
  const edges = fuzzyUnion(used, memberships(used))
  expect([...edges.starts]).toEqual(answer.edges.starts)
  expect([...edges.ends]).toEqual(answer.edges.ends)
  for (const [i, weight] of edges.weights.entries())
    expect(weight).toBeCloseTo(answer.edges.weights[i] ?? 0, 3)
  const ofPoints = await trustworthiness(rows, width, pointsOf(asked), 15, { products })
  expect(ofPoints).toBeCloseTo(answer.ofPoints, 5)
}

/**
 * Of photos, many lie equally far within float32, and the other packages join those two by two: the same photos in another order have leaves there that agree with
 * the first by 0.76 to 1, and other probabilities. Groups of most mass stay.
 */
async function comparePhotos(asked: Asked, answer: Answer): Promise<void> {
  const { rows, width, leastRows, samples } = asked
  await compareMeans(asked, answer)
  const found = await hdbscan([rows], width, { leastRows, samples, products })
  expectAgreed(found, answer.mass)
  expectAgreed(found, answer.package)
  await compareTrust(asked, answer)
}

async function compareMeans({ rows, width, clusters }: Asked, answer: Answer): Promise<void> {
  const plain = await kMeans([rows], width, clusters, { products, starts: 10 })
  expect(plain.inertia).toBeLessThan(1.01 * answer.inertia)
  const round = await kMeans([unitRows(rows, width)], width, clusters, { products, starts: 10 })
  expect(round.inertia).toBeLessThan(1.01 * answer.unitInertia)
}

async function compareTrust({ rows, width }: Asked, answer: Answer): Promise<void> {
  const graph = await neighbourGraph([rows], width, 14, { products })
  const points = await mapRows(graph, [rows], width, { products })
  const own = await trustworthiness(rows, width, points, 15, { products })
  expect(own).toBeGreaterThan((answer.trustworthiness ?? 1) - 0.02)
}

function expectAgreed(found: DensityClusters, { labels }: Groups): void {
  expect(adjustedRandIndex(found.labels, Int32Array.from(labels))).toBeGreaterThanOrEqual(AGREED)
}

function expectProbabilities(found: DensityClusters, { labels, probabilities }: Groups): void {
  const near = found.probabilities.filter((own, row) => Math.abs(own - (probabilities[row] ?? 0)) < 1e-3)
  expect(near.length).toBeGreaterThanOrEqual(AGREED * labels.length)
}

/** A map whose trustworthiness is asked for need not be a good one. */
function pointsOf({ rows, width }: Asked): Float32Array {
  const total = rows.length / width
  return Float32Array.from({ length: 2 * total }, (_, i) => rows[(i >> 1) * width + (i & 1)] ?? 0)
}

test('groups and maps are those that scikit-learn, hdbscan and umap-learn gave', async () => {
  await compareAll(FEW, JSON.parse(readFileSync(GOLDEN, 'utf8')) as Answer)
})

const { python, lacks } = pythonWith(['scikit-learn', 'hdbscan', 'umap-learn'])
if (lacks !== null) console.warn(lacks)

describe.skipIf(lacks !== null)('with the libraries themselves', () => {
  const folder = ownFolder('reference-groups')

  /** Most of the time is that of importing the libraries and of compiling what they compile. */
  const MOST_MS = 300_000

  async function ask(asked: Asked, fits: boolean): Promise<string> {
    const [rowsPath, askedPath] = [join(folder, 'rows.f32'), join(folder, 'asked.json')]
    writeFileSync(rowsPath, asked.rows)
    const points = pointsOf(asked)
    const pairs = Array.from({ length: points.length / 2 }, (_, row) => [
      ...points.subarray(2 * row, 2 * row + 2),
    ])
    writeFileSync(askedPath, JSON.stringify({ ...asked, rows: undefined, points: pairs, fits }))
    const script = join(import.meta.dirname, 'reference_groups.py')
    const { stdout } = await promisify(execFile)(python, [script, rowsPath, String(asked.width), askedPath], {
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
      const answer = JSON.parse(await ask(MANY, true)) as Answer
      await compareAll(MANY, answer)
      await compareTrust(MANY, answer)
    },
    MOST_MS,
  )

  test.skipIf(CLOTHING === undefined)(
    'photos of clothing have the same groups by any model, and their map is as trustworthy',
    async () => {
      await using encoder = await loadEncoder(MINI)
      const photos = readdirSync(CLOTHING ?? '', { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.jpe?g$/i.test(name))
        .sort()
        .slice(0, 2000)
      async function* paths() {
        for (const name of photos) yield join(CLOTHING ?? '', name)
      }
      const embeddings: Float32Array[] = []
      for await (const { features } of encoder.encodeAll(paths()))
        if (features !== undefined) embeddings.push(features.embedding)
      const asked = {
        rows: concatenate(embeddings),
        width: embeddings[0]?.length ?? 0,
        clusters: 10,
        leastRows: 5,
        samples: 5,
      }
      await comparePhotos(asked, JSON.parse(await ask(asked, true)) as Answer)
    },
    2 * MOST_MS,
  )
})
