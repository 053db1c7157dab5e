/**
 * Runs what the README shows: its commands, its snippets, and the two snippets of Birder's model card, these on the real network with hashed weights
 * in place of the published ones.
 */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeModel } from '../bench/write-model.mjs'
import type { Checkpoint } from '../src/checkpoint/checkpoint.js'
import { findPretrained, publishedFile } from '../src/hub/find-pretrained.js'
import { findNetwork } from '../src/model/networks.js'
import { resamplePositions } from '../src/model/positions.js'
import { cosineSimilarity } from '../src/numerics/cosine-similarity.js'
import { rememberedHash } from '../src/platform/node/hub/verified-files.js'
import { nativeAvailability } from '../src/platform/node/native/index.js'
import { openFile } from '../src/platform/node/open-file.js'
import { float32Tensor, toFloat32 } from '../src/tensor/tensor.js'
import { type GoldenCase, readTensors } from '../src/verify/case.js'
import { hashedCheckpoint } from '../src/verify/hashed-checkpoint.js'
import { copySmallGoldens, openGoldens } from '../test/support/goldens.js'

const root = resolve(import.meta.dirname, '..')
const run = promisify(execFile)
const readme = await readFile(join(root, 'README.md'), 'utf8')

/** Is a folder that a reader of the README might stand in, with the package installed. */
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumage-readme-'))
  await mkdir(join(folder, 'node_modules'))
  await symlink(root, join(folder, 'node_modules', 'plumage'))
  await mkdir(join(folder, 'examples'))
  await cp(join(root, 'examples', 'photos'), join(folder, 'examples', 'photos'), { recursive: true })
  await mkdir(join(folder, 'photos'))
  await cp(join(root, 'examples', 'photos', 'hat-1.jpg'), join(folder, 'photos', 'hat-1.jpg'))
  await writeFile(join(folder, 'photos', 'broken.jpg'), 'not a photo')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Finds the first TypeScript block after a text of the README. */
function snippetAfter(text: string): string {
  const from = readme.indexOf(text)
  expect(from, `the README has lost the text ${text}`).toBeGreaterThan(-1)
  const [, snippet] = /```ts\n(.*?)```/s.exec(readme.slice(from)) ?? []
  if (snippet === undefined) throw new Error(`The README has no TypeScript after ${text}.`)
  return snippet
}

/** Runs a snippet as it stands, and then what the test adds to see its results. */
async function runSnippet(
  snippet: string,
  then: string,
  env: Record<string, string> = {},
): Promise<{ stdout: string; stderr: string }> {
  // Node 20 knows no `using`: the compiler writes it out.
  await writeFile(join(folder, 'snippet.mts'), `${snippet}\n${then}`)
  const options = ['--ignoreConfig', '--noCheck', '--target', 'es2022', '--module', 'esnext']
  await run(join(root, 'node_modules/.bin/tsc'), [...options, 'snippet.mts'], { cwd: folder })
  const path = join(folder, 'snippet.mjs')
  return run(process.execPath, [path], { cwd: folder, env: { ...process.env, ...env }, maxBuffer: 1e8 })
}

test('`npm start` prints the neighbours that the README shows', async () => {
  const shown = /<!-- example: npm start -->\n```\n(.*?)```/s.exec(readme)?.[1] ?? ''
  const { stdout } = await run(
    process.execPath,
    [join(root, 'examples', 'neighbours.mjs'), 'examples/photos'],
    { cwd: folder },
  )
  const table = (text: string) =>
    text.split('\n').filter((line) => /\.jpg {2}|^photo|^The embeddings/.test(line))
  expect(table(shown).length).toBeGreaterThan(12)
  expect(table(stdout)).toEqual(table(shown))
})

test('the first snippet gives an embedding and a grid of patches', async () => {
  const { stdout } = await runSnippet(
    snippetAfter('<!-- example: npm start -->'),
    'console.log(embedding.length, patches.length / 384, grid.rows, grid.columns)',
  )
  expect(stdout.trim()).toBe('384 256 16 16')
})

test('the loop over many images goes on after a bad one', async () => {
  const { stdout, stderr } = await runSnippet(snippetAfter('## Many images'), '')
  expect(stderr).toContain('photos/broken.jpg')
  expect(stdout).toContain('photos/hat-1.jpg')
})

test('the commands run as they stand, but for what they do to large networks', async () => {
  const commands = [...readme.matchAll(/^ {4}npx plumage (.*?)(?: {2,}#.*)?$/gm)].flatMap(
    ([, line]) => line ?? [],
  )
  expect(commands.length).toBeGreaterThanOrEqual(4)
  const place = join(folder, 'commands')
  // What a command does is on trial, and not how many it does it to: half the photos are of all four kinds.
  await mkdir(join(place, 'photos'), { recursive: true })
  for (const photo of ['hat-1', 'pants-1', 'shoes-1', 't-shirt-1', 'hat-2', 'pants-2'])
    await cp(join(root, 'examples/photos', `${photo}.jpg`), join(place, 'photos', `${photo}.jpg`))
  await copyFewGoldens(join(place, 'test/golden/data'))
  for (const command of commands) {
    // A line that shows a placeholder is for the reader to fill in.
    if (command.includes('<')) continue
    await run(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...smallerCommand(command)], {
      cwd: place,
      maxBuffer: 1e8,
    })
  }
}, 300_000)

/** Copies goldens with one case of each kind: how they are run is on trial here, and test/golden runs them all. */
async function copyFewGoldens(to: string): Promise<void> {
  await copySmallGoldens(to)
  const path = join(to, 'index.json')
  const index = JSON.parse(await readFile(path, 'utf8')) as { readonly cases: readonly GoldenCase[] }
  const cases = [...new Map(index.cases.map((golden) => [golden.kind, golden])).values()]
  expect(cases.length).toBeGreaterThan(3)
  await writeFile(path, JSON.stringify({ ...index, cases }))
}

/** What is timed is timed once, on a small image. A large network that a command names must be known, and a small one of its family stands for it. */
function smallerCommand(command: string): readonly string[] {
  const args = command.split(' ')
  const timed = args[0] === 'bench' ? [...args, '--runs', '1', '--size', '224'] : args
  const at = timed.indexOf('--network') + 1
  const large = timed[at]
  if (at === 0 || large === undefined) return timed
  const small = large.replace('_l14_', '_s14_')
  expect([findNetwork(large).name, findNetwork(small).name]).toEqual([large, small])
  return timed.with(at, small)
}

const native = nativeAvailability()
const network = 'vit_reg4_l14_nps_ls'
const name = `${network}_dino-v2-lvd142m`
const published = findPretrained(name)
/** Is the side of images, in pixels, that the file standing for the published one says it was trained at. At the published side each snippet computes six times longer. */
const SIDE = 224
const PATCH = 14

/**
 * Gives the network of the golden case large/224x224 as Birder saves it after `adjust_size`: with the positions of the published size, resampled. The
 * snippets take the size from the file, so that each of their lines does with this one what it does with the published one.
 */
function adjustedNetwork(): Checkpoint {
  const [from = 0] = published.resolution
  const gridOf = (side: number) => ({ rows: side / PATCH, columns: side / PATCH })
  const stored = hashedCheckpoint(network, [from, from], 'large-1')
  const adjusted = hashedCheckpoint(network, [SIDE, SIDE], 'large-1')
  const read: Checkpoint['read'] = async (tensor, shape) => {
    if (tensor !== 'pos_embedding') return await adjusted.read(tensor, shape)
    const table = toFloat32(await stored.read(tensor))
    const { rows, columns } = gridOf(SIDE)
    const values = resamplePositions(table, gridOf(from), { rows, columns }, 'antialias')
    return float32Tensor(values, [1, rows * columns, values.length / rows / columns])
  }
  return { ...adjusted, read }
}

describe.skipIf(!native.available)(`Birder's card of ${name}, line by line`, () => {
  const env: Record<string, string> = {}
  const goldens = openGoldens()

  beforeAll(async () => {
    await mkdir(join(folder, 'models'))
    const path = join(folder, 'models', `${name}.pt`)
    await writeModel(adjustedNetwork(), path)
    // It stands for the published file, which cannot be fetched here, and is noted as checked already.
    env.PLUMAGE_CACHE = join(folder, 'cache')
    env.HF_HUB_OFFLINE = '1'
    const { sha256 } = publishedFile(name, published, 'pt')
    await rememberedHash(path, env.PLUMAGE_CACHE, { known: sha256 })
    await mkdir(join(folder, 'path', 'to'), { recursive: true })
    await cp(join(goldens.root, 'large', 'photo-0.png'), join(folder, 'path', 'to', 'image.jpeg'))
  }, 180_000)

  test('infer_image gives an embedding of shape (1, 1024), and the golden one', async () => {
    const then =
      'console.log(JSON.stringify({ shape: embedding.shape, out: out.shape, data: Array.from(embedding.data) }))'
    const { stdout } = await runSnippet(snippetAfter('<!-- card: embedding -->'), then, env)
    const { shape, out, data } = JSON.parse(stdout)
    expect(shape).toEqual([1, 1024])
    expect(out).toEqual([1, 1024])
    const expected = (
      await readTensors(await openFile(join(goldens.root, 'large', '224x224.expected.safetensors')), [
        'embedding',
      ])
    ).get('embedding')
    // Where there is AMX a load takes `high`, which promises a cosine; the golden's tolerance is that of float32.
    if (nativeAvailability().instructionSets?.[0] === 'amx') {
      expect(
        cosineSimilarity(Float32Array.from(data), expected ?? new Float32Array(0)),
      ).toBeGreaterThanOrEqual(0.9999999)
      return
    }
    const error = Math.max(
      ...data.map((value: number, i: number) => Math.abs(value - (expected?.[i] ?? Number.NaN))),
    )
    expect(error).toBeLessThan(4e-5)
  }, 120_000)

  test('detection_features gives a map of a place for each patch, and the README shows that of the published size', async () => {
    const snippet = snippetAfter('<!-- card: detection features -->')
    const mapOf = (side: number) => `[ [ 'stage1', [ 1, 1024, ${side / PATCH}, ${side / PATCH} ] ] ]`
    const [side = 0] = published.resolution
    expect(snippet).toContain(`// ${mapOf(side)}`)
    const { stdout } = await runSnippet(snippet, '', env)
    expect(stdout.replace(/\s+/g, ' ').trim()).toBe(mapOf(SIDE))
  }, 120_000)
})
