/** Writes docs/api.md of the docstrings: what each door of the package gives, in the first sentence of each. */
import { DOORS, Modules } from './check-docs.mjs'

const ADDS_TO_UNIVERSAL = ['plumage/node', 'plumage/browser']

const INTRO =
  '# What the package gives\n\nThis file is made from the docstrings: the first sentence of each. An editor shows the rest where a name is used: every option and field with its ' +
  'shape, unit and default, and what is thrown. `npx vitest run scripts/check-docs.test.ts --update` writes it anew.\n'

const KINDS = {
  FunctionDeclaration: 'Functions',
  TSDeclareFunction: 'Functions',
  ClassDeclaration: 'Classes',
  VariableDeclaration: 'Constants',
  TSInterfaceDeclaration: 'Types',
  TSTypeAliasDeclaration: 'Types',
}

/** @returns {string} the whole file */
export function apiInWords(root) {
  const modules = new Modules(root)
  const universal = modules.exportsOf(DOORS.plumage)
  const parts = Object.entries(DOORS).map(([door, file]) => {
    const symbols = [...modules.exportsOf(file)].filter(
      ([name]) => door === 'plumage' || !universal.has(name),
    )
    const note = ADDS_TO_UNIVERSAL.includes(door) ? `\nIt also gives all that \`plumage\` gives.\n` : ''
    return `\n## ${door}\n${note}${tablesOf(symbols)}`
  })
  return INTRO + parts.join('')
}

function tablesOf(symbols) {
  return [...new Set(Object.values(KINDS))]
    .map((kind) => ({ kind, rows: symbols.filter(([, { nodes }]) => KINDS[nodes[0].type] === kind) }))
    .filter(({ rows }) => rows.length > 0)
    .map(
      ({ kind, rows }) =>
        `\n| ${kind.toLowerCase()} | |\n|---|---|\n${rows.sort(byName).map(rowOf).join('')}`,
    )
    .join('')
}

function byName([a], [b]) {
  return a < b ? -1 : 1
}

function rowOf([name, { doc }]) {
  return `| \`${name}\` | ${firstSentence(doc).replaceAll('|', '\\|')} |\n`
}

function firstSentence(doc) {
  const [paragraph] = doc.split(/\n\s*(?:\n|-|@)/)
  const text = paragraph.replace(/\s+/g, ' ').trim()
  return text.match(/^.*?\.(?= |$)/)?.[0] ?? text
}
