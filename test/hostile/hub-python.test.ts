/** Checks with Python's huggingface_hub itself that it reads what is pulled here, that what it fetched is read here, and that both wait for each other. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pullModel } from '../../src/platform/node/hub/pull-model.js'
import { resolveRepository } from '../../src/platform/node/hub/resolve-repository.js'
import { addonOrReason } from '../../src/platform/node/native/load-addon.js'
import { COMMIT, startFakeHub } from '../support/fake-hub.js'
import { pythonHubOrReason } from '../support/python-hub.js'
import { sha256Of, someBytes, temporaryFolder } from '../support/weights-server.js'

const found = pythonHubOrReason()
if ('reason' in found) console.warn(`Left out: ${found.reason}.`)
const interpreter = 'python' in found ? found.python : ''
const hasLocks = typeof addonOrReason() !== 'string'

const weights = someBytes(100_000).bytes
const files = { 'config.json': Buffer.from('{"model_type":"dinov2"}'), 'model.safetensors': weights }
const ID = 'somebody/tiny'

async function house() {
  const fake = await startFakeHub({ ...files })
  const folder = await temporaryFolder()
  const env = {
    PATH: process.env.PATH,
    HF_ENDPOINT: fake.hub.origin,
    HF_HOME: join(folder.path, 'python'),
    PLUMAGE_CACHE: join(folder.path, 'cache'),
    HF_HUB_DISABLE_TELEMETRY: '1',
    HF_HUB_DISABLE_XET: '1',
  }
  const close = async () => {
    await fake[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  }
  return { ...fake, env, [Symbol.asyncDispose]: close }
}

async function python(program: string, env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(interpreter, ['-c', program], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  let trouble = ''
  child.stdout.on('data', (data) => {
    text += data
  })
  child.stderr.on('data', (data) => {
    trouble += data
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(trouble)
  return text.trim()
}

test.skipIf(interpreter === '')('what is pulled here is found by Python without a question', async () => {
  await using home = await house()
  await pullModel(ID, { env: home.env })
  const asked = home.hub.requests.length
  const program = `
from huggingface_hub import hf_hub_download, scan_cache_dir, try_to_load_from_cache
print(hf_hub_download('${ID}', 'model.safetensors', local_files_only=True))
print(type(try_to_load_from_cache('${ID}', 'preprocessor_config.json')).__name__)
report = scan_cache_dir()
print(len(report.repos), len(report.warnings), sorted(file.file_name for repo in report.repos for revision in repo.revisions for file in revision.files))
`
  const [path = '', absent, scanned] = (await python(program, home.env)).split('\n')
  expect(new Uint8Array(await readFile(path))).toEqual(new Uint8Array(weights))
  expect(absent).toBe('object') // Python's own mark for a file that is known not to exist.
  expect(scanned).toBe("1 0 ['config.json', 'model.safetensors']")
  // Online it asks for headers, and brings nothing.
  await python(
    `from huggingface_hub import hf_hub_download; hf_hub_download('${ID}', 'model.safetensors')`,
    home.env,
  )
  expect(home.hub.requests.slice(asked).every(({ method }) => method === 'HEAD')).toBe(true)
  expect(home.store.requests).toHaveLength(1)
})

test.skipIf(interpreter === '')('what Python has fetched is used here without a question', async () => {
  await using home = await house()
  await python(
    `from huggingface_hub import hf_hub_download\nfor name in ('config.json', 'model.safetensors'): hf_hub_download('${ID}', name)`,
    home.env,
  )
  const asked = home.hub.requests.length
  const path = await resolveRepository({ id: ID, revision: 'main' }, { env: home.env })
  expect(path).toContain(join('snapshots', COMMIT, 'model.safetensors'))
  expect(new Uint8Array(await readFile(path))).toEqual(new Uint8Array(weights))
  expect(home.hub.requests).toHaveLength(asked)
  const pulled = await pullModel(ID, { env: home.env })
  expect(pulled.files.some(({ downloaded }) => downloaded)).toBe(false)
})

test.skipIf(interpreter === '')('a folder of a request is found by Python, and its own here', async () => {
  await using home = await house()
  for (const [name, bytes] of Object.entries(files)) home.repository.files[`encoder/${name}`] = bytes
  const revision = 'refs/pr/3'
  const fetching = (name: string, more: string) =>
    `from huggingface_hub import hf_hub_download; print(hf_hub_download('${ID}', '${name}', subfolder='encoder', revision='${revision}'${more}))`
  const pulled = await pullModel(`${ID}@${revision}`, { env: home.env, subfolder: 'encoder' })
  const path = await python(fetching('model.safetensors', ', local_files_only=True'), home.env)
  expect(pulled.files.map((file) => file.path)).toContain(path)

  await using other = await house()
  for (const [name, bytes] of Object.entries(files)) other.repository.files[`encoder/${name}`] = bytes
  for (const name of Object.keys(files)) await python(fetching(name, ''), other.env)
  const asked = other.hub.requests.length
  const known = await resolveRepository({ id: ID, revision, subfolder: 'encoder' }, { env: other.env })
  expect(known).toContain(join('snapshots', COMMIT, 'encoder', 'model.safetensors'))
  expect(other.hub.requests).toHaveLength(asked)
})

test.skipIf(interpreter === '' || !hasLocks)('a lock that Python holds is waited for', async () => {
  await using home = await house()
  const locks = join(home.env.HF_HOME, 'hub', '.locks', 'models--somebody--tiny')
  await mkdir(locks, { recursive: true })
  const lock = join(locks, `${sha256Of(weights)}.lock`)
  const mark = join(locks, 'held')
  const holding = python(
    `import time\nfrom huggingface_hub.utils import WeakFileLock\nwith WeakFileLock('${lock}'):\n  open('${mark}', 'w').close()\n  time.sleep(1)`,
    home.env,
  )
  while (!existsSync(mark)) await new Promise((resolve) => setTimeout(resolve, 10))
  const kinds: string[] = []
  await pullModel(ID, { env: home.env, onProgress: ({ kind }) => kinds.push(kind) })
  expect(kinds).toContain('waiting')
  await holding
})
