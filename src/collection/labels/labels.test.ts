/** Tries labels on a collection in memory, whose rows are made so that what is right is known. */
import { expect, test } from 'vitest'
import { aboutFor, idOf } from '../../../test/collection/made-collection.js'
import { toHalf } from '../../tensor/float16.js'
import { Collection } from '../collection.js'
import { createMemoryStore } from '../memory-store.js'
import { blockOf, type Row } from '../row-block.js'
import { compareEmbeddings } from './compare-embeddings.js'
import { findMislabelled } from './find-mislabelled.js'
import { giveLabels, labelFromFolders, labelsOf } from './give-labels.js'
import { judgeClasses } from './judge-classes.js'
import { suggestLabels } from './suggest-labels.js'
import { trainHead } from './train-head.js'

const WIDTH = 4

/** Has `count` photos in each of three folders, whose embeddings lie around an axis each; of these some could not be read, and the last of all is gone. */
async function made(count = 6, unread: readonly number[] = []): Promise<Collection> {
  const collection = await Collection.open({
    store: createMemoryStore(aboutFor(WIDTH, { roots: { r: '/photos' } })),
  })
  const rows: Row[] = []
  const numbers: number[] = []
  for (let at = 0; at < 3 * count + 1; at++) {
    const kind = Math.floor(at / count) % 3
    const path = `${['ant', 'bee', 'cat'][kind]}/${at}.jpg`
    const isGone = at === 3 * count
    const state = isGone ? 'gone' : unread.includes(at) ? 'failed' : 'embedded'
    rows.push({ id: idOf(at), root: 'r', path, state, pixels: `p${at}` })
    const row = Array.from({ length: WIDTH }, (_, i) => (i === kind ? 1 : 0.1 * Math.sin(7 * at + i)))
    const length = Math.hypot(...row)
    numbers.push(...row.map((value) => value / length))
  }
  const columns = ['id', 'root', 'path', 'state', 'pixels']
  await collection.add(blockOf(rows, columns, toHalf(Float32Array.from(numbers))))
  return collection
}

test('folders become labels, photos that are gone have none, and a label that is taken away is away', async () => {
  await using collection = await made()
  expect(await labelFromFolders(collection)).toEqual({
    changed: 18,
    unchanged: 0,
    labels: { ant: 6, bee: 6, cat: 6 },
    unread: 0,
  })
  expect(await labelFromFolders(collection)).toMatchObject({ changed: 0, unchanged: 18 })
  await giveLabels(collection, [{ photo: 'r/ant/0.jpg', label: null }])
  const labels = async () =>
    (await labelsOf(collection)).map(({ label }) => label).filter((label) => label === null).length
  expect(await labels()).toBe(1)
  await collection.fold()
  expect(await labels()).toBe(1)
})

test('photos that could not be read have labels, and are counted by themselves: nothing is learnt from them', async () => {
  await using collection = await made(6, [0, 7])
  expect(await labelFromFolders(collection)).toEqual({
    changed: 18,
    unchanged: 0,
    labels: { ant: 5, bee: 5, cat: 6 },
    unread: 2,
  })
  const unread = (await labelsOf(collection)).filter((photo) => photo.unread)
  expect(unread.map(({ name, label }) => [name, label])).toEqual([
    ['r/ant/0.jpg', 'ant'],
    ['r/bee/7.jpg', 'bee'],
  ])
})

test('a photo goes by each of its names, and nothing is changed where one is not there', async () => {
  await using collection = await made()
  const names = [idOf(0), 'r/ant/1.jpg', 'ant/2.jpg', '/photos/ant/3.jpg', '4.jpg']
  const given = await giveLabels(
    collection,
    names.map((photo) => ({ photo, label: 'x' })),
  )
  expect(given.labels).toEqual({ x: 5 })
  const wrong = [
    { photo: '5.jpg', label: 'x' },
    { photo: 'ant/99.jpg', label: 'x' },
  ]
  await expect(giveLabels(collection, wrong)).rejects.toMatchObject({ code: 'unknown-photo' })
  expect((await labelsOf(collection)).filter(({ label }) => label === 'x')).toHaveLength(5)
  await expect(giveLabels(collection, [{ photo: '5.jpg', label: 'y' }])).rejects.toMatchObject({
    code: 'unknown-label',
  })
  await giveLabels(collection, [{ photo: '5.jpg', label: 'y' }], { newLabels: true })
  await collection.addColumns([{ name: 'stars', type: 'integer' }])
  await expect(giveLabels(collection, [], { column: 'stars' })).rejects.toMatchObject({ code: 'wrong-value' })
})

test('what cannot be learnt from is told', async () => {
  await using collection = await made(2)
  await expect(trainHead(collection)).rejects.toMatchObject({ code: 'unlabelled' })
  await labelFromFolders(collection)
  await expect(trainHead(collection)).rejects.toMatchObject({
    code: 'too-few',
    message: expect.stringContaining('ant (2), bee (2), cat (2)'),
  })
  await expect(findMislabelled(collection, { column: 'lable' })).rejects.toMatchObject({
    code: 'unknown-column',
  })
  const all = (await labelsOf(collection)).map(({ id }) => ({ photo: id, label: 'ant' }))
  await giveLabels(collection, all)
  await expect(suggestLabels(collection)).rejects.toThrow(/Every labelled photo .* is called "ant"/)
})

test('classes that lie apart are told apart, by neighbours and probe, and a head has their names', async () => {
  await using collection = await made()
  await labelFromFolders(collection)
  const { head, votes, probe, fewShot, labelled } = await trainHead(collection, { neighbours: 3 })
  expect(head.classes).toEqual(['ant', 'bee', 'cat'])
  expect([votes.measures.accuracy, probe.measures.accuracy]).toEqual([1, 1])
  expect(fewShot.map(({ shots }) => shots)).toEqual([1, 2, 4])
  expect([...probe.confusion]).toEqual([6, 0, 0, 0, 6, 0, 0, 0, 6])
  expect(labelled.copies).toBe(0)
  expect(head.temperature).toBeGreaterThan(1 / 64)
})

test('proposals are those of the folder, with what is between two classes asked for first', async () => {
  await using collection = await made()
  await labelFromFolders(collection)
  const taken = ['ant/5.jpg', 'bee/11.jpg', 'cat/17.jpg']
  await giveLabels(
    collection,
    taken.map((photo) => ({ photo, label: null })),
  )
  const { suggestions, next, isCalibrated } = await suggestLabels(collection, { next: 2 })
  expect(suggestions.map(({ name, label }) => [name, label]).sort()).toEqual(
    taken.map((path) => [`r/${path}`, path.split('/')[0]]),
  )
  expect(suggestions.map(({ confidence }) => confidence)).toEqual(
    suggestions.map(({ confidence }) => confidence).sort((a, b) => b - a),
  )
  expect(next[0]).toEqual(suggestions.at(-1))
  expect([next.length, isCalibrated]).toEqual([2, true])
  expect((await suggestLabels(collection, { next: 0 })).next).toEqual([])
})

test('a label that was swapped is the one that is found', async () => {
  await using collection = await made(10)
  await labelFromFolders(collection)
  await giveLabels(collection, [{ photo: 'bee/12.jpg', label: 'cat' }])
  for (const by of ['margin', 'confidence'] as const) {
    const { photos, labelled } = await findMislabelled(collection, { by })
    expect(photos).toMatchObject([{ name: 'r/bee/12.jpg', label: 'cat', suggestion: 'bee' }])
    expect(labelled).toBe(30)
  }
})

test('of two models the one whose rows say nothing is worse, beyond chance', async () => {
  const labels = Int32Array.from({ length: 40 }, (_, row) => row % 2)
  const good = Float32Array.from({ length: 80 }, (_, at) => (at % 2 === labels[at >> 1] ? 1 : 0.1))
  const bad = Float32Array.from({ length: 120 }, (_, at) => Math.sin(1e4 * at + at * at))
  const names = ['a', 'b']
  const found = await compareEmbeddings({ labels, names }, { rows: bad, width: 3 }, { rows: good, width: 2 })
  expect(found.second.probe.measures.accuracy).toBe(1)
  expect(found.probe.difference).toBeGreaterThan(0.2)
  expect(found.probe.p).toBeLessThan(0.01)
  expect(found.probe.interval[0]).toBeGreaterThan(0)
})

test('long work is given up when it is told to', async () => {
  const abort = new AbortController()
  const labels = Int32Array.from({ length: 40 }, (_, row) => row % 2)
  const rows = Float32Array.from({ length: 80 }, (_, at) => (at % 2 === labels[at >> 1] ? 1 : 0))
  const onProgress = () => abort.abort(new Error('enough'))
  await expect(
    judgeClasses({ rows, width: 2, labels, classes: 2 }, { signal: abort.signal, onProgress }),
  ).rejects.toThrow('enough')
})
