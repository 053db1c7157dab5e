/** Asks the real hub, where `PLUMAGE_LIVE_HUB=1` says that there is a network and that it may be asked: all else rests on servers that only behave like it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listCache, verifyCached } from '../../src/platform/node/hub/cache-contents.js'
import { pullModel } from '../../src/platform/node/hub/pull-model.js'
import { temporaryFolder } from '../support/weights-server.js'

test.runIf(process.env.PLUMAGE_LIVE_HUB === '1')(
  'a small model comes whole, with hashes and a licence that are as expected',
  { timeout: 300_000 },
  async () => {
    await using folder = await temporaryFolder()
    const env = { ...process.env, HF_HOME: folder.path, PLUMAGE_CACHE: join(folder.path, 'own') }
    const { commit, licence, files } = await pullModel('timm/vit_tiny_patch16_224.augreg_in21k', { env })
    expect(commit).toMatch(/^[0-9a-f]{40}$/)
    expect(licence).toBe('apache-2.0')
    expect(files.map(({ role }) => role)).toEqual(expect.arrayContaining(['config', 'readme', 'weights']))
    for (const { path } of files) expect(existsSync(path)).toBe(true)
    for (const model of await listCache(env)) {
      for await (const { state } of verifyCached(model)) expect(state).toBe('whole')
    }
  },
)
