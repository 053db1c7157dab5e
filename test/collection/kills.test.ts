/** Kills what writes to a collection; the built code does the work. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LanceStore } from '../../src/platform/node/collection/lance-store.js'
import { killCollection } from '../support/kill-collection.mjs'
import { aboutFor } from './made-collection.js'

test('kills at random moments lose and double no row and no label, and leave no more than half as much again on the disk', async () => {
  const { rows, labels, ratio, runs, ...report } = await killCollection({ kills: 6, photos: 60 })
  expect(report).toEqual({ kills: 6, problems: [] })
  expect(rows).toBeGreaterThan(60)
  expect(labels).toBeGreaterThan(0)
}, 120_000)

test('a collection is made where making one was killed, before or while it said what it is', async () => {
  const root = mkdtempSync(join(tmpdir(), 'plumage-killed-'))
  const folder = join(root, 'photos.plumage')
  try {
    mkdirSync(join(folder, 'photos.lance'), { recursive: true })
    writeFileSync(join(folder, 'collection.json.tmp'), '{"format"')
    await using made = await LanceStore.create(folder, aboutFor(2))
    expect(await made.count()).toBe(0)
    expect(readdirSync(folder).sort()).toEqual(['collection.json', 'photos.lance'])
  } finally {
    rmSync(root, { recursive: true })
  }
})
