/** Tries the rule about imports on small trees that break it in one way each. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('check-imports.mjs', import.meta.url))
const { findViolations } = (await import(script)) as { findViolations(root: string): readonly string[] }

/** Makes a folder with these files under src. */
function treeOf(files: Readonly<Record<string, string>>): Disposable & { readonly root: string } {
  const root = mkdtempSync(join(tmpdir(), 'plumage-imports-'))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, 'src', file)), { recursive: true })
    writeFileSync(join(root, 'src', file), text)
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true }) }
}

function violationsIn(files: Readonly<Record<string, string>>): readonly string[] {
  using tree = treeOf(files)
  return findViolations(tree.root)
}

/** Runs the script as a command, for its exit code and errors. */
function runScript(...args: readonly string[]): Promise<{ code: unknown; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], (error, _, stderr) =>
      resolve({ code: error?.code ?? 0, stderr }),
    )
  })
}

test('imports up the table pass, and so does what is imported later', () => {
  const lines = violationsIn({
    'tensor/shape.ts': 'export type Shape = readonly number[]',
    'checkpoint/open.ts':
      "import type { Shape } from '../tensor/shape.js'\nexport const open = (shape: Shape) => shape",
    'engine/plan.ts': "export interface Plan {}\nexport const other = () => import('./other.js')",
    'engine/other.ts': "import type { Plan } from './plan.js'\nexport type Other = Plan",
    'coded-error.ts': 'export class CodedError extends Error {}',
    'tensor/error.ts': "import { CodedError } from '../coded-error.js'\nexport class E extends CodedError {}",
    'engine/engine.ts': 'export interface Engine {}',
    'model/plan-vit.ts':
      "import { type Plan } from '../engine/plan.js'\nimport type { Engine } from '../engine/engine.js'\nexport type P = [Plan, Engine]",
    'index.ts': "export { open } from './checkpoint/open.js'",
    'platform/node/index.ts': "import 'node:fs'\nexport * from '../../index.js'",
    'model/plan-vit.test.ts': "import '../cli/main.js'",
  })
  expect(lines).toEqual([])
})

test.each([
  [
    'a room above',
    { 'kernels/a.ts': "import { b } from '../tensor/b.js'", 'tensor/b.ts': '' },
    /kernels may not import tensor/,
  ],
  [
    'a type of a room above',
    { 'tensor/a.ts': "import type { B } from '../image/b.js'", 'image/b.ts': '' },
    /tensor may not import image/,
  ],
  [
    'an inline type import',
    { 'tensor/a.ts': "export type A = import('../image/b.js').B", 'image/b.ts': '' },
    /tensor may not import image/,
  ],
  [
    'a re-export',
    { 'tensor/a.ts': "export * from '../image/b.js'", 'image/b.ts': '' },
    /tensor may not import image/,
  ],
  [
    'a lazy import',
    { 'tensor/a.ts': "export const a = () => import('../image/b.js')", 'image/b.ts': '' },
    /tensor may not import image/,
  ],
  [
    'the engine itself in model',
    { 'model/a.ts': "import { run } from '../engine/engine.js'", 'engine/engine.ts': '' },
    /model may not import engine/,
  ],
  [
    "Node's modules in a universal room",
    { 'image/a.ts': "import { join } from 'node:path'" },
    /image may not import Node's node:path/,
  ],
  [
    'a package in a universal room',
    { 'model/a.ts': "import sharp from 'sharp'" },
    /model may not import the package sharp/,
  ],
  [
    'index.ts from inside',
    { 'cli/a.ts': "import '../index.js'", 'index.ts': '' },
    /may not import index\.ts/,
  ],
  ['a room that is not in the table', { 'utils/a.ts': "import 'node:fs'" }, /belongs to no room/],
  ['a file outside src', { 'cli/a.ts': "import '../../test/b.js'" }, /outside src/],
  [
    'a circle of types',
    {
      'engine/plan.ts': "import type { Other } from './other.js'\nexport interface Plan { other: Other }",
      'engine/other.ts': "import type { Plan } from './plan.js'\nexport interface Other { plan: Plan }",
    },
    /import cycle: engine\/other -> engine\/plan -> engine\/other/,
  ],
  [
    'an import of the common ground',
    { 'coded-error.ts': "import { b } from './tensor/b.js'", 'tensor/b.ts': '' },
    /coded-error may import no room/,
  ],
  [
    'a circle of values',
    { 'cli/a.ts': "import './b.js'", 'cli/b.ts': "export * from './c.js'", 'cli/c.ts': "import './a.js'" },
    /import cycle: cli\/a -> cli\/b -> cli\/c -> cli\/a/,
  ],
])('%s is refused by name', (_, files, message) => {
  expect(violationsIn(files)).toEqual([expect.stringMatching(message)])
})

test('as a command it fails on a violation and passes on the sources of this package', async () => {
  using tree = treeOf({ 'kernels/a.ts': "import 'node:fs'" })
  const { code, stderr } = await runScript(tree.root)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^src\/kernels\/a\.ts: kernels may not import Node's node:fs\n1 import/)
  expect(await runScript()).toEqual({ code: 0, stderr: '' })
})
