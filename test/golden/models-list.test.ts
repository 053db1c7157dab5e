/**
 * Writes docs/models.md: which families run in which layout, on which engines, and with what each is compared. It is made of the golden cases, so that
 * nothing is claimed that no case holds: `npx vitest run test/golden/models-list.test.ts --update` writes it anew.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

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

Each row is a network with made weights that the library named computed; all its activations are compared, block by block, within sixteen times the float32 noise of that library. They run in \`npm test\` on the reference engine, on every path of the native engine and on WebAssembly; on WebGPU one network runs for each combination of steps. Networks of routed experts (ViT_MoE, RoPE_ViT_MoE) run on the reference and the native engine, and are refused by name on the others. A layout that is in no row is not claimed: it is refused by name, or read because it is one of these under other names.

What stands for an image by default is what the library takes; \`plumage info\` says it, \`--embedding\` chooses. Where published weights come from and what their licences ask for is in \`plumage models\` and is printed by \`plumage pull\`.
`

test('docs/models.md lists every family that a golden case holds', async () => {
  const cases = ['families', 'more'].flatMap((set) => {
    const path = new URL(`families/${set}/index.json`, import.meta.url)
    return (JSON.parse(readFileSync(path, 'utf8')) as { cases: readonly Listed[] }).cases
  })
  const families = cases.filter(({ kind }) => kind === 'family')
  const byLibrary = new Map<string, Map<string, string>>()
  for (const golden of families) {
    const rows = byLibrary.get(golden.library) ?? new Map<string, string>()
    const row = `| ${golden.family} | ${golden.class} | ${layoutOf(golden)} | ${cell(golden.about)} |`
    // What follows the first case is the same network at another size.
    rows.set(networkOf(golden), rows.get(networkOf(golden)) ?? row)
    byLibrary.set(golden.library, rows)
  }
  const tables = [...byLibrary].map(
    ([library, rows]) =>
      `\n## Compared with ${library}\n\n| family | class | layout | network |\n| --- | --- | --- | --- |\n${[...new Set(rows.values())].join('\n')}\n`,
  )
  const text = `${INTRO}${tables.join('')}\n## Refused by name\n\n- DINOv3's ConvNeXt, V-JEPA 2, MobileCLIP, CAPI, Theia, Sapiens, differential attention, and NaFlexVit with factorised positions\n`
  expect(byLibrary.size).toBeGreaterThan(8)
  await expect(text).toMatchFileSnapshot('../../docs/models.md')
})

/** A case is a network at one size: `birder/vit-det.adjust-24x20`, `timm/beit/model.16x16`. */
function networkOf({ id }: Listed): string {
  const [set = '', name = ''] = id.split('/')
  return `${set}/${name.split('.')[0]}`
}

function layoutOf({ dialect }: Listed): string {
  return dialect === 'all' || dialect === null ? 'all of them' : dialect
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
