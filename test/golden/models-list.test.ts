/**
 * Writes docs/models.md: which families run in which layout, on which engines, and with what each is compared. It is made of the golden cases, so that
 * nothing is claimed that no case holds: `npx vitest run test/golden/models-list.test.ts --update` writes it anew.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { mustBeRefused } from '../../src/verify/not-run.js'

interface Listed {
  readonly id: string
  readonly kind: string
  readonly family: string
  readonly library: string
  readonly dialect: string | null
  readonly class: string
  readonly about: string
}

const INTRO = `# Which models

Each row is a network with made weights that the library named computed; all its activations are compared, block by block, within sixteen times the float32 noise of that library. They run in \`npm test\` on the reference engine, on every path of the native engine and on WebAssembly; on WebGPU one network runs for each combination of steps. A layout that is in no row is not claimed: it is refused by name, or read because it is one of these under other names.

What stands for an image by default is what the library takes; \`plumage info\` says it, \`--embedding\` chooses. Where published weights come from and what their licences ask for is in \`plumage models\` and is printed by \`plumage pull\`.
`

test('docs/models.md lists every family that a golden case holds', async () => {
  const cases = ['families', 'more'].flatMap((set) => {
    const path = new URL(`families/${set}/index.json`, import.meta.url)
    return (JSON.parse(readFileSync(path, 'utf8')) as { cases: readonly Listed[] }).cases
  })
  // The image's side of dino.txt is a second file, which nothing opens yet.
  const families = cases.filter(({ kind, family }) => kind === 'family' && family !== 'dino.txt')
  const byLibrary = new Map<string, Map<string, string>>()
  for (const golden of families) {
    if (mustBeRefused(golden.id)) continue
    const rows = byLibrary.get(golden.library) ?? new Map<string, string>()
    rows.set(
      networkOf(golden),
      `| ${golden.family} | ${golden.class} | ${layoutOf(golden)} | ${cell(golden.about)} |`,
    )
    byLibrary.set(golden.library, rows)
  }
  const tables = [...byLibrary].map(
    ([library, rows]) =>
      `\n## Compared with ${library}\n\n| family | class | layout | network |\n| --- | --- | --- | --- |\n${[...new Set(rows.values())].join('\n')}\n`,
  )
  const refused = families.filter(({ id }) => mustBeRefused(id))
  const list = [...new Set(refused.map((golden) => `- ${cell(golden.about)} (${golden.class})`))].join('\n')
  const text = `${INTRO}${tables.join('')}\n## Refused by name\n\n${list}\n- DINOv3's ConvNeXt, V-JEPA 2, MobileCLIP, CAPI, Theia, Sapiens, differential attention, and NaFlexVit with factorised positions; of dino.txt the backbone is a DINOv2, and its heads are files of their own that nothing opens yet\n`
  expect(byLibrary.size).toBeGreaterThan(8)
  await expect(text).toMatchFileSnapshot('../../docs/models.md')
})

/** A case is a network at one size. */
function networkOf({ id }: Listed): string {
  return id.split(/[./](?=[^/]*$)/)[0] ?? id
}

function layoutOf({ dialect }: Listed): string {
  return dialect === 'all' || dialect === null ? 'all of them' : dialect
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
