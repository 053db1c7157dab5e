/** Checks that what cannot be written is refused by name, before anything lies on the disk, and that nothing is ever replaced. */
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, expect, onTestFinished, test, vi } from 'vitest'
import { streamSafetensors } from '../../src/formats/safetensors.js'
import { convertModel } from '../../src/platform/node/convert/convert-model.js'
import { findModel } from '../../src/platform/node/find-model.js'
import { openVit } from '../../src/platform/node/open-vit.js'
import { toFloat32 } from '../../src/tensor/tensor.js'
import { runInTest } from '../cli/run-in-test.js'
import { packageRoot } from '../support/repository.js'

const FAMILIES = join(packageRoot, 'test/golden/families/families')
const SOURCE = join(packageRoot, 'test/golden/families/more/layouts/dinov2-reg4/birder.safetensors')
const folder = mkdtempSync(join(tmpdir(), 'plumage-refused-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const quiet = { onWarning: () => {} }

test('what a layout does not hold is named, with the libraries that hold it', async () => {
  const out = join(folder, 'refused')
  const told = { network: 'rope_a_vit_s16', to: 'facebook', ...quiet } as const
  const rotary = convertModel(join(FAMILIES, 'birder/rope-axial-pn-rms.pt'), out, told)
  await expect(rotary).rejects.toThrow(
    /does not hold its .*nor its kind of norm: rmsNorm.*nor its rotary positions: .*It can be written for birder/,
  )
  const vit = convertModel(join(FAMILIES, 'hugging-face/vit-no-pooler'), out, { to: 'facebook' })
  await expect(vit).rejects.toMatchObject({ code: 'not-held' })
  await expect(vit).rejects.toThrow(
    /activation: gelu_tanh, where it has gelu.*It can be written for birder, hugging-face/,
  )
  expect(existsSync(out)).toBe(false)
})

test('a name that means a network and its head is refused with the file of the network alone', async () => {
  vi.stubEnv('TORCH_HOME', folder)
  onTestFinished(() => void vi.unstubAllEnvs())
  const checkpoints = join(folder, 'hub/checkpoints')
  mkdirSync(checkpoints, { recursive: true })
  for (const part of ['pretrain', 'linear4_head'])
    writeFileSync(join(checkpoints, `dinov2_vits14_${part}.pth`), 'x')
  const named = convertModel('dinov2_vits14_lc', join(folder, 'lc'), { to: 'facebook', ...quiet })
  await expect(named).rejects.toMatchObject({
    code: 'not-held',
    message: expect.stringMatching(
      /dinov2_vits14_linear4_head\.pth.*the network alone \(dinov2_vits14_pretrain\.pth\)/,
    ),
  })
})

test('nothing that is there is replaced, be it a file, a folder or a link to nowhere', async () => {
  const file = join(folder, 'there.pt')
  writeFileSync(file, 'mine')
  mkdirSync(join(folder, 'there'))
  for (const out of [file, join(folder, 'there')])
    await expect(convertModel(SOURCE, out, { to: 'birder', ...quiet })).rejects.toMatchObject({
      code: 'occupied',
    })
  expect(readFileSync(file, 'utf8')).toBe('mine')
})

test('a folder beside the output stays whatever its name, and a path through a file is told as such', async () => {
  const mine = join(folder, 'beside.tmp')
  mkdirSync(mine)
  await convertModel(SOURCE, join(folder, 'beside'), { to: 'birder', ...quiet })
  expect(existsSync(mine)).toBe(true)
  writeFileSync(join(folder, 'plain'), 'mine')
  const through = convertModel(SOURCE, join(folder, 'plain/out'), { to: 'birder', ...quiet })
  await expect(through).rejects.toMatchObject({ code: 'not-writable' })
  await expect(through).rejects.toThrow(/a part of the path is a file/)
})

test('a card and a licence come along, and a folder or a lost link of such a name ends nothing', async () => {
  const own = join(folder, 'own')
  await convertModel(SOURCE, own, { to: 'timm', ...quiet })
  writeFileSync(join(own, 'README.md'), 'Read me.')
  mkdirSync(join(own, 'LICENSE'))
  symlinkSync('nowhere', join(own, 'NOTICE'))
  const { files } = await convertModel(own, join(folder, 'carried'), { to: 'timm', ...quiet })
  expect(files.map((file) => basename(file)).sort()).toEqual([
    'README.md',
    'config.json',
    'model.safetensors',
  ])
})

test('float64 is lossless where it stays, and not where it becomes narrower', async () => {
  const timm = join(folder, 'of-doubles')
  await convertModel(SOURCE, timm, { to: 'timm', ...quiet })
  await makeDoubles(join(timm, 'model.safetensors'))
  const isLossless = async (out: string, to: 'timm' | 'birder', dtype: { dtype?: 'f32' }) =>
    (await convertModel(timm, join(folder, out), { to, ...dtype, ...quiet })).lossless
  expect(await isLossless('kept', 'timm', {})).toBe(true)
  expect(await isLossless('narrowed', 'timm', { dtype: 'f32' })).toBe(false)
  expect(await isLossless('rearranged', 'birder', {})).toBe(false)
})

/** Stores each value with digits that float32 has no place for. */
async function makeDoubles(path: string): Promise<void> {
  await using open = await openVit(await findModel(dirname(path)), {})
  const tensors = [...open.checkpoint.tensors].map(([name, { shape }]) => ({
    name,
    shape,
    dtype: 'F64' as const,
    read: async () => {
      const values = Float64Array.from(toFloat32(await open.checkpoint.read(name)), (x) => x * (1 + 1e-9))
      return new Uint8Array(values.buffer)
    },
  }))
  const pieces: Uint8Array[] = []
  for await (const piece of streamSafetensors(tensors, {})) pieces.push(piece)
  writeFileSync(path, Buffer.concat(pieces))
}

test('a copy of which no name tells the network any more says how to tell it, and one that has the name says nothing', async () => {
  const network = 'rope_deit3_reg4_s14'
  const small = join(packageRoot, 'models/small/vit_reg4_s14_nps_ls_tiny-imagenet.safetensors')
  const convert = (out: string, told: { network?: string }) =>
    convertModel(small, join(folder, out), { to: 'birder', ...told, ...quiet })
  const unnamed = await convert('unnamed', { network })
  expect(unnamed.notes).toEqual([expect.stringContaining(`--network ${network}`)])
  expect((await convert(`${network}.safetensors`, { network })).notes).toEqual([])
  const rope = join(folder, 'rope_vit_reg4_mine.safetensors')
  copyFileSync(small, rope)
  const nameless = convertModel(rope, join(folder, 'nameless'), { to: 'birder', ...quiet })
  await expect(nameless).rejects.toThrow(/another rotary: none.*must be told \(network, --network\)/)
  expect((await convert('small', {})).notes).toEqual([
    expect.stringContaining('--network vit_reg4_s14_nps_ls'),
  ])
})

test('a half that would be infinite is refused with the name of its tensor, and nothing stays behind', async () => {
  const large = join(folder, 'large')
  await convertModel(SOURCE, large, { to: 'timm', ...quiet })
  enlarge(join(large, 'model.safetensors'))
  const out = join(folder, 'halves')
  const halves = convertModel(large, out, { to: 'hugging-face', dtype: 'f16' })
  await expect(halves).rejects.toMatchObject({ code: 'value-too-large' })
  await expect(halves).rejects.toThrow(/layernorm\.bias has a value of 70000/)
  expect((await readdir(folder)).filter((name) => name.startsWith('halves'))).toEqual([])
})

/** Makes the last norm's bias larger than halves are. */
function enlarge(path: string): void {
  const bytes = readFileSync(path)
  const length = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<
    string,
    { data_offsets: [number, number] }
  >
  bytes.writeFloatLE(70_000, 8 + length + (header['norm.bias']?.data_offsets[0] ?? 0))
  writeFileSync(path, bytes)
}

test('an abort ends the writing with its reason, and nothing stays behind', async () => {
  const abort = new AbortController()
  const reason = new Error('enough')
  const out = join(folder, 'aborted')
  const onWriting = () => abort.abort(reason)
  const running = convertModel(SOURCE, out, { to: 'timm', signal: abort.signal, onWriting, ...quiet })
  await expect(running).rejects.toBe(reason)
  expect((await readdir(folder)).filter((name) => name.startsWith('aborted'))).toEqual([])
})

test.skipIf(process.platform !== 'linux')(
  'a source that fails while it is read is told as such, and not as an output that cannot be written',
  async () => {
    const source = join(folder, 'failing.safetensors')
    copyFileSync(SOURCE, source)
    const out = join(folder, 'of-a-failing-source')
    const onWriting = () => failReadingOf(source)
    const running = convertModel(source, out, { to: 'timm', onWriting, ...quiet })
    await expect(running).rejects.toMatchObject({ name: 'CheckpointError', code: 'not-found' })
    await expect(running).rejects.toThrow(/failing\.safetensors cannot be read any further: EIO/)
    expect((await readdir(folder)).filter((name) => name.startsWith('of-a-failing'))).toEqual([])
  },
)

/** Puts memory that is not there in the place of an open file, so that reading from it fails as from a disk that does. */
function failReadingOf(path: string): void {
  const places = readdirSync('/proc/self/fd').filter((fd) => linkOf(fd) === path)
  for (const place of places) {
    closeSync(Number(place))
    const others: number[] = []
    let opened = openSync('/proc/self/mem', 'r')
    for (; opened !== Number(place); opened = openSync('/proc/self/mem', 'r')) others.push(opened)
    for (const other of others) closeSync(other)
  }
}

function linkOf(fd: string): string | null {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return null
  }
}

test('names and formats that do not go together are refused with what to do', async () => {
  const said = (out: string, options: Partial<Parameters<typeof convertModel>[2]>) =>
    convertModel(SOURCE, join(folder, out), { to: 'birder', ...quiet, ...options })
  await expect(said('one.safetensors', { to: 'hugging-face' })).rejects.toThrow(/Name a folder/)
  await expect(said('one.pt', { format: 'safetensors' })).rejects.toThrow(/let them agree/)
  await expect(said('one', { maxShardBytes: 100 })).rejects.toThrow(/leave it out/)
  await expect(said('one', { to: 'tim' as 'timm' })).rejects.toThrow(RangeError)
})

test('a mistyped library gets the nearest right name, and sizes are read as people write them', async () => {
  const asked: unknown[] = []
  const convertModel = async (...all: readonly unknown[]) => {
    asked.push(all)
    return {
      path: 'out',
      files: ['out'],
      byteLength: 1,
      weights: 'ab',
      lossless: true,
      notes: ['Mind this.'],
    }
  }
  const run = (...args: string[]) => runInTest(['convert', ...args], { cwd: folder, convertModel })
  const wrong = await run('small', 'out', '--to', 'huggingface')
  expect(wrong).toMatchObject({ code: 2, stdout: '' })
  expect(wrong.stderr).toContain('Did you mean hugging-face?')
  const right = await run('small', 'out', '--to', 'hugging-face', '--max-shard-size', '1.5GB', '--heads', '3')
  expect(right).toMatchObject({ code: 0, stderr: 'Mind this.\n' })
  expect(asked).toMatchObject([['small', 'out', { to: 'hugging-face', maxShardBytes: 1.5e9, heads: 3 }]])
})
