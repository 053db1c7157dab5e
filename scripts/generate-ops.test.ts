/** What is generated from the table of operations is what is committed, and follows the table. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('generate-ops.mjs', import.meta.url))
const { findStale, generate, loadTable } = (await import(script)) as {
  findStale(): Promise<readonly string[]>
  generate(text?: string): Promise<ReadonlyMap<string, string>>
  loadTable(text: string): Promise<Readonly<Record<'OPS' | 'FIELDS', object>>>
}
const table = readFileSync(new URL('../src/engine/ops.ts', import.meta.url), 'utf8')

test('every committed output is what the table makes of it', async () => {
  expect(await findStale()).toEqual([])
})

test('a further operation and a further field reach every output that numbers them', async () => {
  const grown = table
    .replace(
      '  convert: {\n',
      "  twist: { ...plain, label: 'twist', uses: ['input', 'output', 'turns'] },\n  convert: {\n",
    )
    .replace('  isBack: {', "  turns: { type: 'count', meaning: 'Counts the turns.' },\n  isBack: {")
  const outputs = await generate(grown)
  expect(outputs.get('native/src/ops.h')).toContain('X(twist)')
  expect(outputs.get('native/src/ops.h')).toContain('long turns;')
  expect(outputs.get('native/src/ops.cc')).toContain('op.turns = read.whole();')
  expect(outputs.get('wasm/src/ops.ts')).toContain('export const OP_TWIST: i32 = 22')
  expect(outputs.get('wasm/src/ops.ts')).toContain('export function turnsOf(op: usize): i32')
  expect(outputs.get('wasm/src/dispatch.ts')).toContain('return kernels.twist(op, task)')
  expect(outputs.get('src/engine/lowered/lowered-op.ts')).toContain('readonly turns: number')
  expect(outputs.get('src/engine/webgpu/shaders/params.ts')).toContain('turns: u32,')
})

test('a field that no operation uses is refused by name', async () => {
  const grown = table.replace(
    '  isBack: {',
    "  turns: { type: 'count', meaning: 'Counts the turns.' },\n  isBack: {",
  )
  await expect(generate(grown)).rejects.toThrow('No operation uses the field turns.')
})

test('the table can be read without a build: it imports nothing', async () => {
  const { OPS, FIELDS } = await loadTable(table)
  expect(Object.keys(OPS)).toContain('linear')
  expect(Object.keys(FIELDS)).toContain('input')
})
