/** Checks what a file in bytes says of itself and its origin, what becomes of it, and that each lie in one is refused by name. */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { CheckpointError } from '../../src/checkpoint/checkpoint-error.js'
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js'
import { hintsWithin } from '../../src/encoder/hints-within.js'
import { readVit } from '../../src/model/read-vit.js'
import { type ConvertOptions, convertModel } from '../../src/platform/node/convert/convert-model.js'
import { describeModel } from '../../src/platform/node/describe-model.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { nativeAvailability } from '../../src/platform/node/native/index.js'
import { openVit } from '../../src/platform/node/open-vit.js'
import { packModel } from '../../src/platform/node/pack-model.js'
import { runInTest } from '../cli/run-in-test.js'
import { memorySource } from '../support/memory-source.js'
import { packageRoot } from '../support/repository.js'

const MINI = join(packageRoot, 'models/mini/deit3_reg4_t14_tiny-imagenet.safetensors')
const PHOTO = join(packageRoot, 'examples/photos/hat-1.jpg')
const LAYOUTS = join(packageRoot, 'test/golden/families/more/layouts/dinov2-reg4')
const folder = mkdtempSync(join(tmpdir(), 'plumage-int8-files-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const quiet = { onWarning: () => {} }
const convert = (model: string, out: string, options: ConvertOptions = { int8: true }) =>
  convertModel(model, join(folder, out), { ...quiet, ...options })

test('an identity of its own names the origin, and nothing but the numbers decides it', async () => {
  const engine = { engine: 'reference', ...quiet } as const
  const mini = await describeModel(MINI, engine)
  const { path, weights } = await convert(MINI, 'renamed.safetensors')
  const { identity, ...own } = await describeModel(path, engine)
  expect(identity.weights).toBe(weights)
  expect(identity.weights).not.toBe(mini.identity.weights)
  expect(identity.digest).not.toBe(mini.identity.digest)
  expect(identity.origin).toBe(`int8 of ${mini.identity.model}, weights ${mini.identity.weights}`)
  expect(mini.identity.origin).toBeUndefined()
  // The name told which network it is; the file needs none, and says nothing else otherwise.
  expect(own.network).toBe(mini.network)
  expect(own.config).toEqual(mini.config)
  expect(own.recipe).toBe(mini.recipe)
  const elsewhere = await convert(MINI, 'for-timm', { int8: true, to: 'timm' })
  expect(elsewhere.weights).toBe(weights)
  const printed = await runInTest(['info', path, '--engine', 'reference'], { cwd: folder, describeModel })
  expect(printed.stdout).toContain(`\norigin       ${identity.origin}\n`)
})

test('labels, licence and card come along: beside the weights in a folder, within a file that stands alone', async () => {
  const own = join(folder, 'own')
  await convertModel(join(LAYOUTS, 'hugging-face'), own, { to: 'timm', ...quiet })
  writeFileSync(join(own, 'LICENSE'), 'Do as you like.')
  const inFolder = await convert(own, 'in-folder')
  expect(inFolder.files.map((file) => basename(file))).toEqual(['model.safetensors', 'LICENSE'])
  const alone = await convert(own, 'alone.safetensors')
  expect(alone.files).toEqual([join(folder, 'alone.safetensors')])
  await using open = await openVit(alone.path)
  expect(open.checkpoint.int8?.files.get('LICENSE')).toBe('Do as you like.')
  const classes = join(packageRoot, 'test/golden/families/families/hugging-face/vit-classes')
  const labels = async (path: string) => {
    await using opened = await openVit(join(path, 'model.safetensors'))
    return opened.vit.labels
  }
  await convert(classes, 'with-labels')
  const { names } = await labels(classes)
  expect(names?.length).toBeGreaterThan(1)
  expect((await labels(join(folder, 'with-labels'))).names).toEqual(names)
})

test('of a file in bytes its own numbers are written where a type is said, and else its origin is named', async () => {
  const { path, weights } = await convert(MINI, 'once.safetensors')
  for (const options of [{ int8: true }, { to: 'timm' }, { to: 'birder', int8: true }] as const) {
    const again = convert(path, 'twice', options)
    await expect(again).rejects.toMatchObject({ code: 'unsupported' })
    await expect(again).rejects.toThrow(
      /in bytes, made of deit3_reg4_t14_tiny-imagenet \(weights [0-9a-f]{12}\): convert that one.*--dtype f32/,
    )
  }
  const wide = await convert(path, 'wide', { to: 'timm', dtype: 'f32' })
  expect(wide).toMatchObject({ lossless: true, weights })
  const own = await convert(path, 'wide-own', { to: 'birder', dtype: 'f32', network: 'deit3_reg4_t14' })
  expect(own).toMatchObject({ lossless: true, weights })
  // What bytes stand for is the same in bytes once more.
  expect((await convert(wide.path, 'again', { int8: true })).weights).toBe(weights)
})

test.each(['timm', 'hugging-face'])(
  'a matrix that would be lost in bytes stays as it is, in the layout of %s',
  async (layout) => {
    const folderOf = join(folder, `outlier-${layout}`)
    cpSync(join(LAYOUTS, layout), folderOf, { recursive: true })
    const path = join(folderOf, 'model.safetensors')
    const bytes = readFileSync(path)
    const { header, start } = headerOf(bytes)
    const [name = '', entry] =
      Object.entries(header).find(([one]) => /0\.attn\.qkv\.weight|0\..*query\.weight/.test(one)) ?? []
    bytes.writeFloatLE(1e4, start + (entry as Entry).data_offsets[0])
    writeFileSync(path, bytes)
    const out = await convert(folderOf, `lost-${layout}.safetensors`)
    await using open = await openVit(out.path)
    const kept = [...open.checkpoint.tensors].map(async ([tensor, { shape }]) => {
      const extent = await open.checkpoint.extentOf?.(tensor, shape)
      return /attn\.qkv\.weight|attention\.(query|key|value)\.weight/.test(tensor)
        ? [`${tensor} ${extent?.dtype}`]
        : []
    })
    const found = (await Promise.all(kept)).flat()
    expect(found.filter((one) => one.endsWith('I8')).every((one) => !/\b0\./.test(one))).toBe(true)
    expect(found.filter((one) => one.endsWith('I8')).length).toBeGreaterThan(0)
    expect(found).toContain(`${name} F32`)
    if (!nativeAvailability().available) return
    const embedding = async (model: string) => {
      await using encoder = await loadEncoder(model, { engine: 'native', precision: 'int8', ...quiet })
      return (await encoder.encode(PHOTO)).embedding
    }
    expect(await embedding(out.path)).toEqual(await embedding(folderOf))
  },
)

test('what had to be told of a network is within its file', async () => {
  const { path, notes } = await convert(join(LAYOUTS, 'facebook.pth'), 'heads', { int8: true, heads: 2 })
  expect(notes).toEqual([])
  await using open = await openVit(join(path, 'model.safetensors'))
  expect(open.vit.config.heads).toBe(2)
  const wide = await convert(join(path, 'model.safetensors'), 'heads.pth', { to: 'facebook', dtype: 'f32' })
  expect(wide.lossless).toBe(true)
})

test('options and names that do not go together are refused, and so is a network of which bytes hold nothing', async () => {
  const said = (out: string, options: ConvertOptions) => convert(MINI, out, options)
  await expect(said('x', {})).rejects.toThrow(/option to \(--to\) is missing.*Only with int8/)
  await expect(said('x', { int8: true, dtype: 'f16' })).rejects.toThrow(/dtype is "f16" beside int8/)
  await expect(said('x', { int8: 'yes' as never })).rejects.toThrow(RangeError)
  await expect(said('x.pt', { int8: true })).rejects.toThrow(/kept in files of safetensors alone/)
  await expect(said('x', { int8: true, format: 'pt' })).rejects.toThrow(/leave the format out/)
  await expect(said('x', { int8: true, maxShardBytes: 5 })).rejects.toMatchObject({ code: 'unsupported' })
  const written = await runInTest(
    ['convert', join(LAYOUTS, 'timm'), join(folder, 'by-command.safetensors'), '--int8'],
    {
      cwd: folder,
      convertModel,
    },
  )
  expect(written).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Another network, which names its origin'),
  })
  const both = await runInTest(['convert', MINI, 'y'], { cwd: folder, convertModel })
  expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('The option to (--to) is missing') })
  expect((await readdir(folder)).filter((name) => /^[xy]/.test(name))).toEqual([])
})

test('a value that is no number is refused by the name of its tensor', async () => {
  const damaged = join(folder, 'damaged.safetensors')
  const bytes = Buffer.from(readFileSync(MINI))
  const { header, start } = headerOf(bytes)
  const name = 'encoder.block.3.mlp.0.weight'
  const { dtype, data_offsets: offsets } = header[name] as Entry
  expect(dtype).toBe('F16')
  bytes.writeUInt16LE(0x7e00, start + offsets[0] + 10)
  writeFileSync(damaged, bytes)
  const written = convert(damaged, 'of-damaged', { int8: true, network: 'deit3_reg4_t14' })
  await expect(written).rejects.toMatchObject({ code: 'malformed', tensor: name })
  expect((await readdir(folder)).filter((one) => one.startsWith('of-damaged'))).toEqual([])
})

test.runIf(nativeAvailability().available)(
  'it is packed and embedded as any other, with an embedding near to its origin’s',
  async () => {
    const path = join(folder, 'whole.safetensors')
    await convert(MINI, 'whole.safetensors')
    const embedding = async (model: string, precision: 'float32' | 'int8') => {
      await using encoder = await loadEncoder(model, { engine: 'native', precision, ...quiet })
      return (await encoder.encode(PHOTO)).embedding
    }
    const [own, origin] = [await embedding(path, 'int8'), await embedding(MINI, 'int8')]
    expect(own).toEqual(origin)
    process.env.PLUMAGE_CACHE = join(folder, 'cache')
    await packModel(path, { precision: 'int8', ...quiet })
    const refused: string[] = []
    await using packed = await loadEncoder(path, {
      precision: 'int8',
      onWarning: (text) => refused.push(text),
    })
    expect((await packed.encode(PHOTO)).embedding).toEqual(own)
    expect(refused).toEqual([])
  },
)

interface Entry {
  dtype: string
  shape: number[]
  data_offsets: [number, number]
}
type Header = Record<string, Entry | Record<string, string>>

function headerOf(bytes: Buffer): { header: Header; start: number } {
  const length = Number(bytes.readBigUInt64LE(0))
  return { header: JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Header, start: 8 + length }
}

/** A file of one block, whose bytes are few. */
async function tinyFile(): Promise<Buffer> {
  const { path } = await convert(join(LAYOUTS, 'timm'), `tiny-${Math.random()}.safetensors`)
  return readFileSync(path)
}
const tiny = await tinyFile()

async function outcome(bytes: Uint8Array): Promise<string> {
  try {
    await using checkpoint = await openCheckpoint(memorySource(bytes, 'it'))
    const { int8 } = checkpoint
    const vit = readVit(checkpoint, int8 === undefined ? {} : hintsWithin(int8, 'it'))
    await vit.readTables()
    for (const [name, shape] of vit.weightShapes) await vit.weights.read(name, shape)
    return 'loaded'
  } catch (error) {
    expect(error).toBeInstanceOf(CheckpointError)
    const { code, message } = error as CheckpointError
    return `${code}: ${message}`
  }
}

/** Gives the tiny file with another header; offsets count from its end, so that no byte moves. */
function withHeader(change: (header: Header, facts: Record<string, unknown>) => void): Buffer {
  const { header, start } = headerOf(tiny)
  const metadata = header.__metadata__ as Record<string, string>
  const facts = JSON.parse(metadata.plumage ?? '') as Record<string, unknown>
  change(header, facts)
  if (metadata.plumage?.startsWith('{')) metadata.plumage = JSON.stringify(facts)
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, tiny.subarray(start)])
}

const NAME = 'blocks.0.attn.qkv.weight'
const rename = (header: Header, from: string, to: string) => {
  header[to] = header[from] as Entry
  delete header[from]
}

describe('a file in bytes', () => {
  test('is read as it is', async () => {
    expect(await outcome(tiny)).toBe('loaded')
  })

  test.each<[string, RegExp, (header: Header, facts: Record<string, unknown>) => void]>([
    [
      'without its scales',
      /^missing-tensor: it: blocks\.0\.attn\.qkv\.weight\.int8 has no scales/,
      (header) => rename(header, `${NAME}.int8_scale`, 'extra'),
    ],
    [
      'with scales of nothing',
      /^missing-tensor: it has blocks\.0\.attn\.qkv\.weight\.int8_scale and no/,
      (header) => rename(header, `${NAME}.int8`, 'extra'),
    ],
    [
      'with scales of another shape',
      /^wrong-shape: it: .*int8 is \[\d+, \d+\] and has scales of \[\d+, 2\], where/,
      (header) => {
        const entry = header[`${NAME}.int8_scale`] as Entry
        entry.shape = [(entry.shape[0] ?? 0) / 2, 2]
      },
    ],
    [
      'with scales of another type',
      /^malformed: it: .*int8 has scales of I32/,
      (header) => {
        const entry = header[`${NAME}.int8_scale`] as Entry
        entry.dtype = 'I32'
      },
    ],
    [
      'with bytes of another type',
      /^malformed: it: .*int8 is U8, where bytes/,
      (header) => {
        const entry = header[`${NAME}.int8`] as Entry
        entry.dtype = 'U8'
      },
    ],
    [
      'with a vector in bytes',
      /^wrong-shape: it: .*int8 is \[\d+\], where a matrix/,
      (header) => {
        const entry = header[`${NAME}.int8`] as Entry
        entry.shape = [entry.shape.reduce((a, b) => a * b)]
      },
    ],
    [
      'with a tensor twice',
      /^malformed: it has norm\.weight both/,
      (header) => {
        const entry = header[`${NAME}.int8`] as Entry
        const scale = header[`${NAME}.int8_scale`] as Entry
        header['norm.weight.int8'] = entry
        header['norm.weight.int8_scale'] = scale
        delete header[`${NAME}.int8`]
        delete header[`${NAME}.int8_scale`]
      },
    ],
    [
      'of a later version',
      /^unknown-format: it keeps matrices in bytes by version 2, and version 1 is read/,
      (_, facts) => {
        facts.version = 2
      },
    ],
    [
      'of no version',
      /^unknown-format: it keeps matrices in bytes by version none/,
      (_, facts) => {
        delete facts.version
      },
    ],
    [
      'that says what no version does',
      /^malformed: .*has "zero_points", which version 1 has not/,
      (_, facts) => {
        facts.zero_points = true
      },
    ],
    [
      'without an origin',
      /^malformed: .*does not name the origin/,
      (_, facts) => {
        delete facts.origin
      },
    ],
    [
      'whose origin has no name',
      /^malformed: .*origin’s model/,
      (_, facts) => {
        facts.origin = { weights: 'f'.repeat(64) }
      },
    ],
    [
      'whose origin has no digest',
      /^malformed: .*digest of the origin/,
      (_, facts) => {
        facts.origin = { model: 'x', weights: 'f' }
      },
    ],
    [
      'whose files are no texts',
      /^malformed: .*"config\.json" that is no text/,
      (_, facts) => {
        facts.files = { 'config.json': {} }
      },
    ],
    [
      'whose files are none',
      /^malformed: .*hold the files/,
      (_, facts) => {
        facts.files = 'none'
      },
    ],
    [
      'whose config is no JSON',
      /^malformed: config\.json in it, which lies beside the weights/,
      (_, facts) => {
        facts.files = { 'config.json': '{' }
      },
    ],
    [
      'that is told what cannot be',
      /^malformed: it says of its network that heads is -3/,
      (_, facts) => {
        facts.told = { heads: -3 }
      },
    ],
    [
      'that is told what nobody tells',
      /^malformed: it says of its network that configFile is/,
      (_, facts) => {
        facts.told = { configFile: {} }
      },
    ],
    [
      'that is told nothing',
      /^malformed: .*what was told/,
      (_, facts) => {
        facts.told = null
      },
    ],
    [
      'whose word is no JSON',
      /^malformed: .*plumage is no JSON object/,
      (header) => {
        header.__metadata__ = { plumage: '{not' }
      },
    ],
  ])('%s is refused', async (_, message, change) => {
    expect(await outcome(withHeader(change))).toMatch(message)
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1])(
    'with the scale %d is refused by its row',
    async (scale) => {
      const bytes = Buffer.from(tiny)
      const { header, start } = headerOf(bytes)
      const { data_offsets: offsets } = header[`${NAME}.int8_scale`] as Entry
      bytes.writeFloatLE(scale, start + offsets[0] + 8)
      expect(await outcome(bytes)).toMatch(
        /^malformed: it: blocks\.0\.attn\.qkv\.weight\.int8 has the scale \S+ in row 2/,
      )
      const path = join(folder, 'scale.safetensors')
      writeFileSync(path, bytes)
      const loading = loadEncoder(path, { engine: 'auto', ...quiet })
      await expect(loading).rejects.toMatchObject({ code: 'malformed' })
    },
  )

  test('is no shard of another', async () => {
    const parts = join(folder, 'parts')
    mkdirSync(parts)
    writeFileSync(join(parts, 'part.safetensors'), tiny)
    const weightMap = { weight_map: { [NAME]: 'part.safetensors' } }
    writeFileSync(join(parts, 'model.safetensors.index.json'), JSON.stringify(weightMap))
    await expect(openVit(join(parts, 'model.safetensors.index.json'))).rejects.toThrow(
      /names part\.safetensors, whose matrices are in bytes/,
    )
  })

  test('with changed bytes is read or refused, and nothing else', async () => {
    const place = fc.oneof(fc.nat(tiny.length - 1), fc.nat(Math.min(tiny.length, 12_000) - 1))
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 4 }),
        async (changes) => {
          const bytes = Uint8Array.from(tiny)
          for (const [at, value] of changes) bytes[at] = value
          await outcome(bytes)
        },
      ),
      { numRuns: 400 },
    )
    await fc.assert(
      fc.asyncProperty(fc.nat(tiny.length - 1), fc.nat(200), async (at, missing) => {
        await outcome(tiny.subarray(0, at))
        await outcome(Uint8Array.from([...tiny.subarray(0, at), ...tiny.subarray(at + missing + 1)]))
      }),
      { numRuns: 60 },
    )
  })

  test('beside config files of another model says its own', async () => {
    const beside = join(folder, 'beside')
    mkdirSync(beside)
    writeFileSync(join(beside, 'model.safetensors'), tiny)
    copyFileSync(join(LAYOUTS, 'hugging-face/config.json'), join(beside, 'config.json'))
    await using open = await openVit(join(beside, 'model.safetensors'))
    expect(open.vit.dialect).toBe('timm')
  })
})
