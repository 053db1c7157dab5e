/** Hashes many files, as whoever looks through a collection does. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { hashOfFile } from './content-hash.js'

test('many files that share a signal are hashed without a warning, and the signal ends them', async () => {
  const warnings: string[] = []
  const listen = (warning: Error) => void warnings.push(warning.message)
  process.on('warning', listen)
  onTestFinished(() => void process.off('warning', listen))
  const folder = mkdtempSync(join(tmpdir(), 'plumage-hash-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'file')
  writeFileSync(path, 'content')
  const { signal } = new AbortController()
  const hashes = await Promise.all(Array.from({ length: 20 }, () => hashOfFile(path, signal)))
  expect(new Set(hashes)).toEqual(new Set([createHash('sha256').update('content').digest('hex')]))
  await sleep(10)
  expect(warnings).toEqual([])
  await expect(hashOfFile(path, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped')
})
