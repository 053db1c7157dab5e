/** Tries the rule about docstrings on small trees that break it in one way each, and holds the library to it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const script = new URL('check-docs.mjs', import.meta.url).href
type Find = (root: string, doors?: Readonly<Record<string, string>>) => readonly string[]
const { findNameless, findUndocumented } = (await import(script)) as {
  readonly findNameless: Find
  readonly findUndocumented: Find
}

const { apiInWords } = (await import(new URL('api-in-words.mjs', import.meta.url).href)) as {
  apiInWords(root: string): string
}

/** Gives what is missing in a tree of these files, of which index.ts is the door. */
function missingIn(files: Readonly<Record<string, string>>, find = findUndocumented): readonly string[] {
  const root = mkdtempSync(join(tmpdir(), 'plumage-docs-'))
  try {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, file)), { recursive: true })
      writeFileSync(join(root, file), text)
    }
    return find(root, { plumage: 'index.ts' })
  } finally {
    rmSync(root, { recursive: true })
  }
}

test('everything that a door gives says what it is, and what it throws', () => {
  expect(findUndocumented(root)).toEqual([])
})

test('what the calls of a door take and give has a name there', () => {
  expect(findNameless(root)).toEqual([])
  const files = {
    'index.ts': "export { f } from './f.js'\nexport type { Result } from './f.js'",
    'f.ts':
      'export interface Result { a: Inner }\nexport interface Inner {}\nexport function f(options: FOptions): Result {}\ninterface FOptions {}',
  }
  expect(missingIn(files, findNameless)).toEqual(['plumage: f speaks of FOptions, which it does not give'])
})

test('docs/api.md says what the docstrings say', async () => {
  await expect(apiInWords(root)).toMatchFileSnapshot('../docs/api.md')
})

test.each([
  ['a function', 'export function f(): void {}', ['index.ts: f has no docstring']],
  ['a constant', 'export const C = 1', ['index.ts: C has no docstring']],
  ['a member', '/** A. */ export interface A { b: 1 | 2 }', ['index.ts: A.b has no docstring']],
  [
    'a member of an object within',
    '/** A. */ export interface A {\n/** B. */\nb: { c: number } }',
    ['index.ts: A.b.c has no docstring'],
  ],
  ['a method', '/** A. */ export class A { b(): void {} }', ['index.ts: A.b has no docstring']],
  ['a code', "/** E. */ export type AErrorCode = 'b' | 'c'", ['AErrorCode b', 'AErrorCode c'].map(bare)],
  ['the errors of a promise', '/** F. */ export async function f(): Promise<void> {}', [unsaid('f')]],
  ['the errors of a throw', '/** F. */ export function f(): void { throw new Error() }', [unsaid('f')]],
  [
    'the errors of a method',
    '/** A. */ export interface A {\n/** B. */\nb(): Promise<void> }',
    [unsaid('A.b')],
  ],
  ['what has only the words of its file', '/** File. */\n\nexport const C = 1', [bare('C')]],
])('%s: what is missing is named', (_what, code, missing) => {
  expect(missingIn({ 'index.ts': code })).toEqual(missing)
})

test('nothing is missed that no caller reaches, or that its own type says', () => {
  const inside = "/** A. */ export class A { #b = 1; private c = 2; override readonly name = 'A' }"
  const tag =
    "/** T. */ export type T = { readonly kind: 'a' } | { readonly kind: 'b'; readonly none?: undefined }"
  const callback = '/** F. */ export function f(): () => void { return () => { throw new Error() } }'
  const overloads = '/** G. */\nexport function g(): 1\nexport function g(): number { return 1 }'
  expect(missingIn({ 'index.ts': [inside, tag, callback, overloads].join('\n') })).toEqual([])
})

test('a symbol is followed to where it is declared, and to the types that it speaks of', () => {
  const files = {
    'index.ts': "export { f as g } from './room/f.js'\nexport type * from './room/t.js'",
    'room/f.ts':
      "import type { Options } from './options.js'\n/** F. */\nexport function f(options: Options): void {}",
    'room/options.ts':
      'interface Base { a: number }\n/** Options. */\nexport interface Options extends Base {}',
    'room/t.ts': 'export type T = string',
  }
  expect(missingIn(files)).toEqual([
    'room/options.ts: Base has no docstring',
    'room/options.ts: Base.a has no docstring',
    'room/t.ts: T has no docstring',
  ])
})

function bare(what: string): string {
  return `index.ts: ${what} has no docstring`
}

function unsaid(what: string): string {
  return `index.ts: ${what} does not say what it throws`
}
