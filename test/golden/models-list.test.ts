/**
 * Writes docs/models.md: which families run in which layout, on which engine and in which precision, how near each came, what is refused and why, and where
 * published weights come from under which licence. It is made of the golden cases, of what `scripts/record-model-errors.mjs` has recorded of them, and of the lists
 * that the code itself refuses and finds by, so that nothing is claimed that nothing holds: `npx vitest run test/golden/models-list.test.ts --update` writes it anew.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Precision } from '../../src/engine/engine.js'
import { knownModels } from '../../src/hub/known-models.js'
import { factsOf } from '../../src/hub/model-facts.js'
import { refusedNetworks } from '../../src/model/dialects/other-families.js'
import { promisedCosine } from '../../src/verify/judge.js'

interface Listed {
  readonly id: string
  readonly kind: string
  readonly family: string
  readonly library: string
  readonly dialect: string | null
  readonly class?: string
  readonly about: string
}

/** Is what `scripts/record-model-errors.mjs` writes: for each case, in the order of the columns, parts of the tolerance or cosines. */
interface Recorded {
  readonly of: string
  readonly columns: readonly string[]
  readonly cases: Readonly<Record<string, readonly (number | null)[]>>
}

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const indexes = ['families', 'more'].map((set) => read(`families/${set}/index.json`))
const cases = indexes.flatMap((text) => (JSON.parse(text) as { cases: readonly Listed[] }).cases)
const networks = cases.filter(
  ({ kind, family }) => kind === 'family' || (kind === 'head' && family === 'classifier'),
)
const recorded = JSON.parse(read('family-errors.json')) as Recorded
const COLUMNS = [
  ['reference:float64', 'reference'],
  ['native:float32', 'native'],
  ['wasm:float32', 'wasm'],
  ['webgpu:float32', 'webgpu'],
  ['native:bfloat16', 'native bfloat16'],
  ['native:int8', 'native int8'],
  ['wasm:float16', 'wasm float16'],
  ['wasm:int8', 'wasm int8'],
] as const

function grouped<T>(all: readonly T[], keyOf: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one])
  return groups
}

/** Are short of what their precision promises, and README.md says by how much (families.test.ts). */
const KNOWN_SHORT = new Map([
  ['wasm:float16 birder/vit-ap-tanh', 0.999987],
  ['native:bfloat16 birder/vit-ap-tanh', 0.99894],
  ['native:bfloat16 hugging-face/radio-v4/model.packed', 0.999208],
  ['native:bfloat16 timm/radio-v3/model.16x16', 0.999477],
])

const hasRoutedExperts = (id: string) => /^birder\/(rope-)?vit-v?moe/.test(id)
const isExact = (column: string) => /float(32|64)$/.test(column)

function recordedOf(column: string): ReadonlyMap<string, number> {
  const at = recorded.columns.indexOf(column)
  return new Map(
    Object.entries(recorded.cases).flatMap(([id, own]): readonly [string, number][] => {
      const figure = own[at]
      return figure == null ? [] : [[id, figure]]
    }),
  )
}

test('what is recorded is of these cases, of each of them, and within what is promised', () => {
  const hash = createHash('sha256')
  for (const text of indexes) hash.update(text)
  const stale = 'The golden cases have changed: run scripts/record-model-errors.mjs (CONTRIBUTING.md).'
  expect(recorded.of, stale).toBe(hash.digest('hex'))
  for (const [column] of COLUMNS) {
    const figures = recordedOf(column)
    const isEverywhere = /^(native|reference)/.test(column)
    const wanted = networks.filter(({ id }) => isEverywhere || !hasRoutedExperts(id)).map(({ id }) => id)
    // Narrow precisions promise nothing of classes and of layers that a backbone hands out.
    if (isExact(column)) expect([...figures.keys()].toSorted(), column).toEqual(wanted.toSorted())
    else expect(wanted, column).toEqual(expect.arrayContaining([...figures.keys()]))
    const promise = promisedCosine(column.replace(/.*:/, '') as Precision)
    for (const [id, figure] of figures) {
      if (isExact(column)) expect(figure, `${column} ${id}`).toBeLessThanOrEqual(1)
      else
        expect(figure, `${column} ${id}`).toBeGreaterThanOrEqual(
          KNOWN_SHORT.get(`${column} ${id}`) ?? promise,
        )
    }
  }
})

test('docs/models.md lists every family that a golden case holds', async () => {
  const byLibrary = grouped(networks, ({ library }) => library)
  expect(byLibrary.size).toBeGreaterThan(8)
  const head = ['family', 'class', 'layout', ...COLUMNS.map(([, title]) => title), 'network']
  const tables = [...byLibrary].map(([library, own]) => {
    // What follows the first case is the same network at another size.
    const rows = [...grouped(own, networkOf).values()].map(rowOf)
    return `\n## Compared with ${library}\n\n${table(head, rows)}`
  })
  const text = `${INTRO}${tables.join('')}${refused()}${published()}`
  await expect(text).toMatchFileSnapshot('../../docs/models.md')
})

const INTRO = `# Which models

Each row is a network with made weights that the library named computed; all its activations are compared, block by block, within sixteen times the float32 noise of that library. They run in \`npm test\` on the reference engine, on every path of the native engine and on WebAssembly; on WebGPU one network runs for each combination of steps. A layout that is in no row is not claimed: it is refused by name, or read because it is one of these under other names.

What stands for an image by default is what the library takes; \`plumage info\` says it, \`--embedding\` chooses.

**How near.** Columns that name no precision are float32 (\`reference\` sums in float64) and give the largest error of any activation as a part of its tolerance: at 1 a network would just pass, and 0.06 is the library's own noise. Columns of a narrower precision give the lowest cosine, with the library's own numbers, of an embedding or of an image's tokens; what each promises is in the README, and a column is empty where a precision promises nothing of what a network hands out (classes, layers of a backbone). They were recorded on a processor with AMX, where those of \`native\` are the worst of its seven paths, and on an emulated GPU (\`node scripts/record-model-errors.mjs\`). *Refused*: networks of routed experts run on the engines \`native\` and \`reference\`.
`

/** A case is a network at one size: `birder/vit-det.adjust-24x20`, `timm/beit/model.16x16`. */
function networkOf({ id }: Listed): string {
  const [set = '', name = ''] = id.split('/')
  return `${set}/${name.split('.')[0]}`
}

function rowOf(own: readonly Listed[]): readonly string[] {
  const [first] = own
  if (first === undefined) return []
  const figures = COLUMNS.map(([column]) => figureOf(column, own))
  const what = first.class ?? 'linear classifier'
  return [first.family, what, layoutOf(first), ...figures, first.about.replaceAll('|', '\\|')]
}

/** Gives the worst of a network's cases. */
function figureOf(column: string, own: readonly Listed[]): string {
  const figures = own.flatMap(({ id }) => recordedOf(column).get(id) ?? [])
  if (figures.length === 0) return own.some(({ id }) => hasRoutedExperts(id)) ? 'refused' : ''
  if (isExact(column)) return String(Math.max(...figures))
  return String(Math.floor(Math.min(...figures) * 1e5) / 1e5)
}

function layoutOf({ dialect }: Listed): string {
  return dialect === 'all' || dialect === null ? 'all of them' : dialect
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`)
  return lines.join('')
}

function refused(): string {
  const rows = refusedNetworks().map(({ name, read }) => [name, read])
  return `\n## Refused by name\n\nA file is told by its tensors and by what its config calls it; a config alone is enough before weights are fetched.\n\n${table(['what it is', 'what is read'], rows)}`
}

/** Puts what is known of published weights together by family, publisher and licence, with the first name as an example. */
function published(): string {
  const known = knownModels().map(({ name, from }) => ({ name, from, ...factsOf(name) }))
  const named = known.filter(({ family }) => family !== null)
  const groups = grouped(named, ({ family, from, licence, gated }) =>
    [family, from.replace(/ v.*/, ''), licence ?? 'none named', gated ? 'yes' : 'no'].join(' | '),
  )
  const rows = [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, own]) => [
      group,
      String(own.length),
      `\`${own[0]?.name}\``,
      own[0]?.use ?? 'ask whoever publishes it',
    ])
  const head = ['family', 'published by', 'licence', 'gated', 'names', 'such as', 'use']
  return `\n## Where weights come from\n\n\`plumage models\` lists each name, with its size, where these facts were read (\`--json\`) and the open one of a gated pair; what a repository says of its licence when it is asked counts, and is printed by \`plumage pull\`. Any other repository of Hugging Face is read where its network is one of the above.\n\n${table(head, rows)}`
}
