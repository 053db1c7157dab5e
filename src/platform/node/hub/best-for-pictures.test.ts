import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { bestForPicturesOrNull } from './best-for-pictures.js'

const { signal } = new AbortController()
let home = ''

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'plumage-best-'))
  for (const [name, folder] of Object.entries({
    PLUMAGE_CACHE: 'plumage',
    HF_HUB_CACHE: 'hub',
    HF_HOME: 'huggingface',
    TORCH_HOME: 'torch',
    MODELS_DIR: 'birder',
  }))
    vi.stubEnv(name, join(home, folder))
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(home, { recursive: true, force: true })
})

function put(path: string, text = ''): string {
  const full = join(home, path)
  mkdirSync(dirname(full), { recursive: true })
  writeFileSync(full, text)
  return full
}

test('with nothing but the package there is none', async () => {
  expect(await bestForPicturesOrNull(signal)).toBeNull()
  put('torch/hub/checkpoints/resnet50.pth')
  expect(await bestForPicturesOrNull(signal)).toBeNull()
})

test("Meta's file is taken by its path; a repository without weights, which Python leaves behind, is not", async () => {
  const commit = 'a'.repeat(40)
  const repository = 'hub/models--facebook--dinov2-with-registers-large'
  put(`${repository}/refs/main`, commit)
  put(`${repository}/snapshots/${commit}/config.json`, '{}')
  const file = put('torch/hub/checkpoints/dinov2_vits14_reg4_pretrain.pth')
  expect(await bestForPicturesOrNull(signal)).toBe(file)
})
