/** Loads what is written with the libraries themselves, and holds their numbers against those that the source has in its own library. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import type { WeightsForm } from '../../src/convert/file-forms.js'
import type { LibraryName } from '../../src/convert/writer.js'
import { convertModel } from '../../src/platform/node/convert/convert-model.js'
import { pythonWith } from '../support/python-models.js'
import { packageRoot } from '../support/repository.js'

const run = promisify(execFile)
const libraries = ['torch', 'transformers', 'timm', 'birder'] as const
const found = pythonWith(libraries)
const lacked = libraries.filter((name) => !found.has.has(name))
if (lacked.length > 0)
  console.warn(`Left out: no Python with ${lacked.join(', ')} (PLUMAGE_PYTHON_MODELS names an interpreter).`)

const GOLDEN = join(packageRoot, 'test/golden/families/more/layouts/dinov2-reg4')
/** Is the least of the tolerances that the golden case gives these tokens. */
const ATOL = 3e-5
const folder = mkdtempSync(join(tmpdir(), 'plumage-real-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Gives the largest difference from the golden numbers. */
async function loaded(to: LibraryName, format: WeightsForm, source: string): Promise<number> {
  const path = join(folder, `${source}-${to}-${format}`)
  await convertModel(join(GOLDEN, source), path, { to, format, onWarning: () => {} })
  const expected = join(GOLDEN, 'model.56x56.expected.safetensors')
  const { stdout } = await run(
    found.python,
    [join(import.meta.dirname, 'load_converted.py'), to, path, expected, join(GOLDEN, 'facebook.pth')],
    { env: { ...process.env, HF_HUB_OFFLINE: '1' }, timeout: 120_000 },
  )
  return (JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { difference: number }).difference
}

describe('the real library', () => {
  for (const [to, library, source] of [
    ['hugging-face', 'transformers', 'birder.pt'],
    ['timm', 'timm', 'birder.pt'],
    ['birder', 'birder', 'hugging-face'],
  ] as const) {
    test.skipIf(!found.has.has(library))(
      `${library} loads both formats with no key missing, and gives the golden tokens`,
      async () => {
        for (const format of ['safetensors', 'pt'] as const)
          expect(await loaded(to, format, source)).toBeLessThan(ATOL)
      },
    )
  }

  test.skipIf(!found.has.has('torch'))(
    'torch.load takes the state dict with weights_only, and maps it',
    async () => {
      expect(await loaded('facebook', 'pt', 'hugging-face')).toBe(0)
    },
  )
})
