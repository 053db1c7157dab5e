import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../../test/support/repository.js'
import { nativePrecisions } from './native/index.js'
import { verifyModel } from './verify-model.js'

/** Is a network of a few thousand weights, whose activations are massive. */
const MODEL = join(packageRoot, 'test/golden/families/more/massive/patch-70000')
const PHOTOS = ['hat-1.jpg', 'shoes-1.jpg'].map((name) => join(packageRoot, 'examples/photos', name))
const options = { photos: PHOTOS, load: { size: 28, threads: 2, onWarning: () => {} } } as const

test('each engine and precision of this machine keeps its promise on real photos, or says why it does not run', async () => {
  const asked: string[] = []
  const onTry = (engine: string, precision: string) => void asked.push(`${engine} ${precision}`)
  const found = await verifyModel(MODEL, { ...options, onTry })
  expect(found).toMatchObject({ size: [28, 28], photos: 2, truth: { engine: 'reference', check: null } })
  expect(asked).toEqual(found.rows.map(({ engine, precision }) => `${engine} ${precision}`))
  for (const row of found.rows) {
    const isHere =
      row.engine !== 'native' || nativePrecisions().some((precision) => precision === row.precision)
    if (row.engine !== 'webgpu') expect(row.kind, JSON.stringify(row)).toBe(isHere ? 'measured' : 'refused')
    if (row.kind === 'refused') expect(row.reason).not.toBe('')
    else expect(row).toMatchObject({ isKept: true, photos: 2 })
  }
  expect(found.rows).toContain(found.recommended)
})

test('an engine and a precision that are asked for are tried alone', async () => {
  const { rows } = await verifyModel(MODEL, {
    ...options,
    load: { ...options.load, engine: 'wasm', precision: 'int8' },
  })
  expect(rows).toMatchObject([
    { engine: 'wasm', precision: 'int8', description: expect.stringMatching(/2 threads/) },
  ])
})

test('what says where a model lies, and what ends a load, is heeded as a load does', async () => {
  const load = { ...options.load, engine: 'wasm', precision: 'float32', subfolder: 'patch-70000' } as const
  const { rows } = await verifyModel(dirname(MODEL), { ...options, load })
  expect(rows).toMatchObject([{ kind: 'measured' }])
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(verifyModel(MODEL, { ...options, load: { ...load, signal } })).rejects.toThrow()
})

test('what cannot be tried is refused before anything is loaded', async () => {
  await expect(verifyModel('no such model', { photos: [] })).rejects.toThrow(/photos is an empty list/)
  await expect(verifyModel('no such model', { load: { engine: 'quick' as never } })).rejects.toThrow(/engine/)
  await expect(verifyModel(MODEL, { ...options, photos: ['nowhere.jpg'] })).rejects.toMatchObject({
    code: 'not-found',
  })
  const reason = new Error('enough')
  await expect(verifyModel(MODEL, { ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})
