/** Holds what is written to what others read: safetensors by its own package, PyTorch's files by Python's own pickle, value by value. torch itself is asked by real-libraries.test.ts, where there is one. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { WeightsForm } from '../../src/convert/file-forms.js'
import type { LibraryName } from '../../src/convert/writer.js'
import { convertModel } from '../../src/platform/node/convert/convert-model.js'
import { findModel } from '../../src/platform/node/find-model.js'
import { openVit } from '../../src/platform/node/open-vit.js'
import { goldenNetworks } from '../support/golden-networks.js'
import { pythonWith } from '../support/python.js'

const folder = mkdtempSync(join(tmpdir(), 'plumage-python-reads-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const { python, lacks } = pythonWith(['numpy', 'safetensors'])
if (lacks !== null) console.warn(lacks)

const NUMPY_TYPES: Readonly<Record<string, string>> = { F32: '<f4', F16: '<f2', BF16: '<u2', I8: '|i1' }

const CASES: readonly (readonly [
  id: string,
  to: LibraryName,
  form: WeightsForm,
  options: { readonly dtype?: 'f16' | 'bf16'; readonly int8?: boolean },
])[] = [
  ['hugging-face/dinov3-reg4', 'timm', 'safetensors', {}],
  ['hugging-face/aimv2', 'timm', 'safetensors', { dtype: 'f16' }],
  ['timm/siglip', 'hugging-face', 'safetensors', { int8: true }],
  ['timm/vit-cls', 'hugging-face', 'pt', {}],
  ['timm/dinov3-plus', 'facebook', 'pt', { dtype: 'bf16' }],
  ['timm/pe-core', 'birder', 'pt', { dtype: 'f16' }],
]

test.skipIf(lacks !== null)('Python reads the very values', async () => {
  const written: { readonly id: string; readonly file: string; readonly own: unknown }[] = []
  for (const [at, [id, to, format, options]] of CASES.entries()) {
    const network = goldenNetworks().find((one) => one.id === id)
    if (network === undefined) throw new Error(`There is no golden network ${id}.`)
    const { size: _, ...told } = network.told
    const out = join(folder, `${at}`)
    const { path } = await convertModel(network.path, out, {
      ...told,
      ...options,
      to,
      format,
      onWarning: () => {},
    })
    const file = readdirSync(out).find((name) => /\.(safetensors|pth?|bin)$/.test(name)) ?? ''
    written.push({ id, file: join(out, file), own: await valuesOf(path, to) })
  }
  const script = join(import.meta.dirname, 'read_converted.py')
  const said = execFileSync(python, [script, ...written.map(({ file }) => file)], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  const lines = said.split('\n').filter(Boolean)
  expect(lines).toHaveLength(written.length)
  for (const [at, { id, own }] of written.entries()) expect(JSON.parse(lines[at] ?? ''), id).toEqual(own)
})

/** Gives type, shape and hash of each tensor as our own reader has it. */
async function valuesOf(path: string, to: LibraryName): Promise<unknown> {
  await using open = await openVit(
    await findModel(path),
    to === 'facebook' ? { heads: 2, size: [48, 48] } : {},
  )
  const { checkpoint } = open
  const values: [string, unknown][] = []
  for (const [name, { dtype, shape }] of checkpoint.tensors) {
    const { bytes } = await checkpoint.read(name)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    values.push([name, [NUMPY_TYPES[dtype] ?? dtype, shape, sha256]])
  }
  return Object.fromEntries(values)
}
