/** Runs the commands of labels on real photos, embedded by the quick model of the tests, as a person would. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { classificationTransform } from '../../src/birder/classification-transform.js'
import { getSizeFromSignature } from '../../src/birder/signature.js'
import { readHead } from '../../src/encoder/trained-head.js'
import { inferImage, loadModel } from '../../src/platform/node/birder.js'
import { loadEncoder } from '../../src/platform/node/load-encoder.js'
import { openFile } from '../../src/platform/node/open-file.js'
import { MINI } from '../support/mini.js'
import { pythonWith } from '../support/python.js'
import { runInTest } from './run-in-test.js'

const photos = join(import.meta.dirname, '../../examples/photos')
let folder: string
const run = (...args: string[]) => runInTest(args, { cwd: folder, loadEncoder })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plumage-label-'))
  for (const name of readdirSync(photos).filter((one) => one.endsWith('.jpg'))) {
    const kind = name.replace(/-\d+\.jpg$/, '')
    mkdirSync(join(folder, 'photos', kind), { recursive: true })
    cpSync(join(photos, name), join(folder, 'photos', kind, name))
  }
  expect(await run('index', 'photos', '-m', MINI)).toMatchObject({ code: 0 })
})
afterAll(() => rmSync(folder, { recursive: true }))

test('without labels each command says so, and what to do', async () => {
  for (const args of [['label', '--train', 'head.safetensors'], ['label-errors']]) {
    const { code, stderr } = await run(...args)
    expect(code).toBe(2)
    expect(stderr).toMatch(/No photo of .* has a label.*--from folders/)
  }
})

test('labels come from folders, make a head that is judged, and photos are classified by it', async () => {
  const labelled = await run('label', '--from', 'folders')
  expect(labelled).toMatchObject({
    code: 0,
    stdout: '12 labels changed, 0 as they were: hat 3, pants 3, shoes 3, t-shirt 3\n',
  })
  const few = await run('label', '--train', 'head.safetensors')
  expect(few.code).toBe(2)
  expect(few.stderr).toMatch(/fewer of hat \(3\), pants \(3\).*--folds 3/)
  const trained = await run('label', '--train', 'head.safetensors', '--folds', '3', '--confusion', 'c.png')
  expect(trained).toMatchObject({ code: 0 })
  expect(trained.stdout).toMatch(/12 photos of 4 classes, 3 folds/)
  expect(trained.stdout).toMatch(/linear probe, C .*\n {2}accuracy \d+\.\d % \[\d/)
  expect(readFileSync(join(folder, 'c.png')).subarray(1, 4).toString()).toBe('PNG')
  const found = await run(
    'classify',
    'photos/hat/hat-1.jpg',
    'photos/shoes/shoes-2.jpg',
    '--classifier',
    'head.safetensors',
    '-k',
    '4',
  )
  expect(found).toMatchObject({ code: 0 })
  const rows = found.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(rows.map(({ classes }) => classes[0].label)).toEqual(['hat', 'shoes'])
  const sum = rows[0].classes.reduce((all: number, one: { probability: number }) => all + one.probability, 0)
  expect(sum).toBeCloseTo(1, 5)
})

test("the same head gives the same probabilities by Birder's inferImage, and Python's by its own arithmetic", async () => {
  const path = join(folder, 'head.safetensors')
  const head = await readHead(await openFile(path))
  expect(head).toMatchObject({ classes: ['hat', 'pants', 'shoes', 't-shirt'], features: 'unit' })
  const photo = join(folder, 'photos/hat/hat-1.jpg')
  const classified = await run('classify', photo, '--classifier', path, '-k', '4')
  const [row] = classified.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  const expected = new Map<string, number>(
    row.classes.map(({ label, probability }: { label: string; probability: number }) => [label, probability]),
  )
  const [net, info] = await loadModel(MINI, { head })
  await using _ = net
  const size = getSizeFromSignature(info.signature)
  const [out] = await inferImage(net, photo, classificationTransform(size, info.rgbStats))
  expect(out.shape).toEqual([1, 4])
  for (const [label, index] of Object.entries(info.classToIdx))
    expect(out.data[index]).toBeCloseTo(expected.get(label) ?? Number.NaN, 4)
  const cropped = classificationTransform(size, info.rgbStats, { centerCrop: 0.8 })
  await expect(inferImage(net, photo, cropped)).rejects.toMatchObject({
    code: 'other-identity',
    message: expect.stringMatching(
      /head was trained on embeddings with recipe\.resize.*; those that are given have recipe\.resize/,
    ),
  })

  const { python, lacks } = pythonWith(['numpy', 'safetensors'])
  if (lacks !== null) return
  await using encoder = await loadEncoder(MINI)
  const { embedding } = await encoder.encode(photo)
  const program = `
import json, sys, numpy as np
from safetensors import safe_open
with safe_open(sys.argv[1], 'np') as file:
    told, weight, bias = file.metadata(), file.get_tensor('weight'), file.get_tensor('bias')
e = np.asarray(json.load(sys.stdin), dtype=np.float64)
scores = (e / np.linalg.norm(e) @ weight.T + bias) / float(told['temperature'])
parts = np.exp(scores - scores.max())
print(json.dumps(dict(zip(json.loads(told['classes']), (parts / parts.sum()).tolist()))))`
  const { stdout, stderr } = spawnSync(python, ['-c', program, path], {
    input: JSON.stringify([...embedding]),
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  for (const [label, probability] of Object.entries(JSON.parse(stdout)))
    expect(probability).toBeCloseTo(expected.get(label) ?? Number.NaN, 4)
})

test("another model's head is refused with what differs, and so is what is no head", async () => {
  const other = await run(
    'classify',
    'photos/hat/hat-1.jpg',
    '--classifier',
    'head.safetensors',
    '--size',
    '56',
  )
  expect(other.code).toBe(2)
  expect(other.stderr).toMatch(
    /trained on embeddings with .*recipe.*size.*those that are given have .*recipe/,
  )
  const none = await run('classify', 'photos/hat/hat-1.jpg', '--classifier', MINI)
  expect(none.code).toBe(2)
  expect(none.stderr).toMatch(/is no head of this library.*--train/)
  expect((await run('classify', 'a.jpg', '--classifier', 'head.safetensors', '--tta')).stderr).toContain(
    '--tta',
  )
})

test('a label by hand that no photo has yet is taken for a slip, and photos go by any of their names', async () => {
  const slip = await run('label', 'hat-1.jpg', '--set', 'shos')
  expect(slip.code).toBe(2)
  expect(slip.stderr).toMatch(/No photo is called "shos" yet. Did you mean shoes\?.*--new/)
  const missing = await run('label', 'hat-9.jpg', '--set', 'hat')
  expect(missing.stderr).toMatch(/no photo "hat-9.jpg".*photos\/hat\/hat-\d.jpg/)
  expect(await run('label', 'hat-1.jpg', './photos/hat/hat-2.jpg', '--set', 'cap', '--new')).toMatchObject({
    code: 0,
    stdout: '2 labels changed, 0 as they were: cap 2\n',
  })
  const listed = await run('label')
  expect(listed.stdout).toBe('cap  2\nhat  1\npants  3\nshoes  3\nt-shirt  3\nwithout a label  0\n')
  await run('label', '--from', 'folders')
})

test('a table of labels that is none is refused with its name and line', async () => {
  for (const [text, told] of [
    ['path,path\na,b\n', 'names the column "path" twice'],
    ['path,label\n"a.jpg,hat\n', 'labels.csv: Line 2 has a quoted field that does not end'],
    ['path,label\na.jpg\n', 'labels.csv, line 2: it has 1 fields, expected 2'],
  ] as const) {
    writeFileSync(join(folder, 'labels.csv'), text)
    expect(await run('label', '--from', 'labels.csv')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(told),
    })
  }
})

test('photos without a label get proposals, and the most useful are asked for', async () => {
  await run('label', 'pants-3.jpg', 'photos/shoes/shoes-3.jpg', '--clear')
  const { code, stdout } = await run('label', '--suggest', '1', '--json')
  expect(code).toBe(0)
  const { suggestions, next } = JSON.parse(stdout)
  expect(suggestions.map(({ name, label }: { name: string; label: string }) => [name, label]).sort()).toEqual(
    [
      ['photos/pants/pants-3.jpg', 'pants'],
      ['photos/shoes/shoes-3.jpg', 'shoes'],
    ],
  )
  expect(next).toHaveLength(1)
  writeFileSync(
    join(folder, 'labels.csv'),
    'path,label\r\n"photos/pants/pants-3.jpg",pants\r\nshoes/shoes-3.jpg,shoes\r\n',
  )
  expect((await run('label', '--from', 'labels.csv')).stdout).toContain('2 labels changed')
  writeFileSync(join(folder, 'bad.csv'), 'file,label\na,b\n')
  expect((await run('label', '--from', 'bad.csv')).stderr).toContain('path and label are needed')
})

test('a wrong label is found', async () => {
  const low = (kind: string) => kind === 'shoes' || kind === 'pants'
  const records = readdirSync(join(folder, 'photos')).flatMap((kind) =>
    readdirSync(join(folder, 'photos', kind)).map((name) => `${name},${low(kind) ? 'low' : 'high'}`),
  )
  writeFileSync(join(folder, 'worn.csv'), `path,label\n${records.join('\n')}\n`)
  await run('label', '--from', 'worn.csv', '--column', 'worn')
  await run('label', 't-shirt-3.jpg', '--set', 'low', '--column', 'worn')
  const { code, stdout } = await run('label-errors', '--column', 'worn')
  expect(code).toBe(0)
  expect(stdout).toMatch(/photos\/t-shirt\/t-shirt-3.jpg {2}is called low, looks like high/)
})

test('two models are compared on one labelled folder, photo by photo', async () => {
  const { code, stdout } = await run('compare', MINI, MINI, 'photos', '--folds', '3')
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /linear probe: the second has \+0\.0 points.*McNemar p 1\.0: these photos do not tell them apart/,
  )
  writeFileSync(join(folder, 'photos/hat/bad.jpg'), 'no image')
  const less = await run('compare', MINI, MINI, 'photos', '--folds', '3', '--json')
  rmSync(join(folder, 'photos/hat/bad.jpg'))
  expect(less.code).toBe(1)
  expect(less.stderr).toContain('1 of 13 photos could not be read by both')
  expect(JSON.parse(less.stdout)).toMatchObject({ models: [MINI, MINI], probe: { onlyFirst: 0, p: 1 } })
  const flat = await run('compare', MINI, MINI, 'photos/hat')
  expect(flat.code).toBe(2)
  expect(flat.stderr).toContain('put those of each class into a folder of its name')
})

test('one class is too little, and wrong options are told in words', async () => {
  await run('label', '--from', 'folders', '--column', 'kind')
  const all = readdirSync(join(folder, 'photos')).flatMap((kind) => readdirSync(join(folder, 'photos', kind)))
  await run('label', ...all, '--set', 'thing', '--new', '--column', 'kind')
  expect((await run('label-errors', '--column', 'kind')).stderr).toMatch(/is called "thing".*takes two/)
  expect((await run('label-errors', '--column', 'knd')).stderr).toContain('Did you mean kind')
  expect((await run('label', 'hat-1.jpg')).stderr).toContain('--set LABEL, or --clear')
  expect((await run('label', '--train', 'head.bin')).stderr).toContain('.safetensors')
  const single = ['label', '--train', 'head.safetensors', '--folds', '1']
  expect((await run('label', '--from', 'folders')).code).toBe(0)
  expect((await run(...single)).stderr).toContain('Folds are at least two')
  expect((await run('label', '--suggest', '3')).stdout).toContain('Each photo has a label')
  const groups = await run('clusters', '-k', '50', '--no-save')
  expect(groups.stderr).toContain('50 groups were asked for: no more than 12 have a photo')
})
