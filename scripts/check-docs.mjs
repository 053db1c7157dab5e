/**
 * Fails when something that a door of the package gives says nothing of itself.
 *
 *     node scripts/check-docs.mjs [folder with src]
 *
 * A docstring must stand at each exported symbol, at each type that such a symbol speaks of, at each of their members that a caller can reach, and
 * at each code of an error. What returns a promise or a stream, or throws in its own body, must also say what it throws.
 */
import { readFileSync } from 'node:fs'
import { dirname, join, posix, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'oxc-parser'

/** The doors of package.json, each with its source. */
export const DOORS = {
  plumage: 'src/index.ts',
  'plumage/node': 'src/platform/node/index.ts',
  'plumage/browser': 'src/platform/browser/index.ts',
  'plumage/birder': 'src/platform/node/birder.ts',
}

/** @returns {string[]} a line for each docstring that is missing or says nothing of errors; there are none when all is well */
export function findUndocumented(root, doors = DOORS) {
  const modules = new Modules(root)
  const seen = new Set()
  const lines = []
  const waiting = Object.values(doors).flatMap((door) => [...modules.exportsOf(door).values()])
  for (let found = waiting.pop(); found !== undefined; found = waiting.pop()) {
    const key = `${found.file} ${found.name}`
    if (seen.has(key)) continue
    seen.add(key)
    lines.push(...judge(found))
    waiting.push(...typesNamedIn(found.nodes).flatMap((name) => modules.find(found.file, name) ?? []))
  }
  return lines.sort()
}

/**
 * @returns {string[]} a line for each type that a call or an object of options of a door speaks of, and that nobody can import by its name from that
 *   door or from the first one, which is for all platforms
 */
export function findNameless(root, doors = DOORS) {
  const modules = new Modules(root)
  const keyOf = ({ file, name }) => `${file} ${name}`
  const given = (door) => [...modules.exportsOf(door).values()]
  const [common] = Object.values(doors)
  const lines = Object.entries(doors).flatMap(([label, door]) => {
    const named = new Set([...given(common), ...given(door)].map(keyOf))
    return given(door)
      .filter(({ name, nodes }) => OPTIONS.test(name) || nodes.some((node) => functionOf(node).params))
      .flatMap(({ file, name, nodes }) =>
        typesNamedIn(nodes)
          .flatMap((type) => modules.find(file, type) ?? [])
          .filter((type) => !named.has(keyOf(type)))
          .map((type) => `${label}: ${name} speaks of ${type.name}, which it does not give`),
      )
  })
  return [...new Set(lines)].sort()
}

/** @returns {string[]} the calls of a door that take an object of options, such as `loadEncoder` and `Encoder.encode` */
export function callsWithOptions(modules, door) {
  const symbols = [...modules.exportsOf(door)]
  const places = symbols.flatMap(([name, { nodes }]) =>
    nodes.flatMap((node) => [{ label: name, node }, ...membersOf(node, name)]),
  )
  return [...new Set(places.filter(({ node }) => takesOptions(node)).map(({ label }) => label))]
}

function takesOptions(node) {
  const { params = [] } = functionOf(node)
  return params.some((param) => {
    const { typeAnnotation: type } = (param.left ?? param).typeAnnotation ?? {}
    return type?.type === 'TSTypeLiteral' || (type && typesNamedIn([type]).some((name) => OPTIONS.test(name)))
  })
}

const OPTIONS = /(Options|Hints|Choice|Parts|Signal)$/

/** Reads each file once, and finds what a name in it stands for, wherever that is declared. */
export class Modules {
  #root
  #files = new Map()

  constructor(root) {
    this.#root = root
  }

  /** @returns {Map<string, {name: string, file: string, nodes: object[], doc: string}>} what a file gives, by the name that it has there */
  exportsOf(file) {
    const found = new Map()
    for (const node of this.#read(file).program.body) {
      if (node.type === 'ExportAllDeclaration')
        for (const [name, symbol] of this.exportsOf(targetOf(file, node))) found.set(name, symbol)
      if (node.type !== 'ExportNamedDeclaration') continue
      for (const { local, exported } of node.specifiers) {
        const from = node.source === null ? file : targetOf(file, node)
        const symbol = node.source === null ? this.find(from, local.name) : this.#exported(from, local.name)
        found.set(exported.name, symbol)
      }
      for (const name of namesOf(node.declaration)) found.set(name, this.find(file, name))
    }
    return found
  }

  /** Finds the declaration of a name as a file uses it; null for one of the language, the platform or a package. */
  find(file, name) {
    const { declared, imported } = this.#read(file)
    const nodes = declared.get(name)
    if (nodes !== undefined)
      return { name, file, nodes, doc: nodes.map(({ doc }) => doc).find(Boolean) ?? '' }
    const source = imported.get(name)
    return source === undefined ? null : this.#exported(source.file, source.name)
  }

  #exported(file, name) {
    const symbol = this.exportsOf(file).get(name)
    if (symbol === undefined) throw new Error(`${file} exports no ${name}, which another file takes from it.`)
    return symbol
  }

  #read(file) {
    const known = this.#files.get(file)
    if (known !== undefined) return known
    const text = readFileSync(join(this.#root, file), 'utf8')
    const { program, comments, errors } = parseSync(file, text)
    if (errors.length > 0) throw new Error(`${file} cannot be parsed: ${errors[0].message}`)
    attachDocs(program, text, comments)
    const read = { program, declared: declarationsOf(program), imported: importsOf(file, program) }
    this.#files.set(file, read)
    return read
  }
}

/** Gives each node the text of the docstring that ends where it begins, as `doc`: '' where there is none. */
function attachDocs(program, text, comments) {
  const docs = new Map()
  for (const { type, value, end } of comments) {
    if (type !== 'Block' || !value.startsWith('*')) continue
    // A blank line parts the text of the file from that of its first declaration.
    const [gap] = text.slice(end).match(/^\s*/)
    if (gap.split('\n').length <= 2) docs.set(end + gap.length, value.replace(/^\s*\*+ ?/gm, '').trim())
  }
  walk(program, (node) => {
    node.doc ??= docs.get(node.start) ?? ''
    // The text in front of an export is that of what is exported, and that in front of `| 'code'` is the code's.
    if (node.declaration) node.declaration.doc = node.doc
    for (const type of node.type === 'TSUnionType' ? node.types : [])
      type.doc = docs.get(type.start) ?? docs.get(text.lastIndexOf('|', type.start)) ?? ''
    return true
  })
}

function declarationsOf(program) {
  const declared = new Map()
  for (const statement of program.body) {
    const node = statement.declaration ?? statement
    for (const name of namesOf(node)) declared.set(name, [...(declared.get(name) ?? []), node])
  }
  return declared
}

function namesOf(node) {
  if (node?.type === 'VariableDeclaration') return node.declarations.map(({ id }) => id.name)
  return node?.id ? [node.id.name] : []
}

function importsOf(file, program) {
  const imported = new Map()
  for (const node of program.body) {
    if (node.type !== 'ImportDeclaration' || !node.source.value.startsWith('.')) continue
    for (const { local, imported: origin } of node.specifiers)
      if (origin) imported.set(local.name, { file: targetOf(file, node), name: origin.name })
  }
  return imported
}

function targetOf(file, { source }) {
  return posix.join(dirname(file), source.value.replace(/\.js$/, '.ts'))
}

/** Judges a declaration, which is several nodes where a function has overloads. */
function judge({ name, file, nodes, doc }) {
  const own = nodes.map((node) => ({ label: name, doc, node }))
  const places = [...own, ...nodes.flatMap((node) => membersOf(node, name))]
  const lines = places.flatMap(({ label, doc, node }) => {
    if (doc === '') return [`${file}: ${label} has no docstring`]
    return owesErrors(node) && !SAYS_ERRORS.test(doc) ? [`${file}: ${label} does not say what it throws`] : []
  })
  return [...new Set(lines)]
}

const SAYS_ERRORS = /\b(throws?|thrown|rejects?)\b/i
const DEFERRED = ['Promise', 'AsyncGenerator', 'AsyncIterable']

/** Says whether whoever calls a function must know of its errors. */
function owesErrors(node) {
  const { returnType, body } = functionOf(node)
  if (DEFERRED.includes(returnType?.typeAnnotation.typeName?.name)) return true
  let throws = false
  if (body?.type === 'BlockStatement')
    walk(body, ({ type }) => {
      throws ||= type === 'ThrowStatement'
      return !/Function/.test(type)
    })
  return throws
}

/** Gives the function that a declaration or member is, where it is one: it has parameters then. */
function functionOf(node) {
  const type = node.typeAnnotation?.typeAnnotation
  return node.value ?? (type?.type === 'TSFunctionType' ? type : node)
}

/** Gives the members that a caller can reach, those of objects within included, each under a name such as `Features.orientation.found`. */
function membersOf(node, name) {
  const found = []
  walkSurface(node, (child) => {
    const isCode = name.endsWith('ErrorCode') && child.type === 'TSLiteralType'
    if (isCode) found.push({ label: `${name} ${child.literal.value}`, doc: child.doc, node: child })
    // The docstring of the function tells of what is written within its signature.
    if (SIGNATURES.includes(child.type)) return false
    if (!MEMBERS.includes(child.type)) return true
    if (isTag(child)) return false
    const label = `${name}.${child.computed ? `[${child.key.property?.name}]` : child.key.name}`
    if (child.kind !== 'constructor') found.push({ label, doc: child.doc, node: child })
    if (child.typeAnnotation) found.push(...membersOf(child.typeAnnotation, label))
    return false
  })
  return found
}

const MEMBERS = ['TSPropertySignature', 'TSMethodSignature', 'PropertyDefinition', 'MethodDefinition']
const SIGNATURES = ['FunctionDeclaration', 'TSDeclareFunction', 'TSFunctionType']

/** A member that can have one value only says which of several types this is, and the type's docstring says the rest. */
function isTag({ typeAnnotation }) {
  return ['TSLiteralType', 'TSUndefinedKeyword'].includes(typeAnnotation?.typeAnnotation?.type)
}

function typesNamedIn(nodes) {
  const names = []
  for (const node of nodes)
    walkSurface(node, (child) => {
      const { typeName, exprName, superClass } = child
      const heir = child.type === 'TSInterfaceHeritage' || child.type === 'TSClassImplements'
      for (const named of [typeName, exprName, superClass, heir ? child.expression : undefined])
        if (named?.type === 'Identifier') names.push(named.name)
      return true
    })
  return names
}

/** Visits what a declaration shows: neither the insides of functions nor values nor what is private. */
function walkSurface(root, visit) {
  walk(root, (node) => {
    if (node.type === 'BlockStatement' || node.accessibility === 'private') return false
    if (node.key?.type === 'PrivateIdentifier' || node.override) return false
    if (node.type === 'VariableDeclarator') return false
    return visit(node)
  })
}

/** Visits a node and all within it, as far as `visit` says true. */
function walk(node, visit) {
  if (visit(node)) for (const child of childrenOf(node)) walk(child, visit)
}

function childrenOf(node) {
  return Object.values(node)
    .flat()
    .filter((child) => typeof child?.type === 'string')
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  const root = resolve(process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url))))
  const lines = [...findUndocumented(root), ...findNameless(root)]
  for (const line of lines) console.error(line)
  if (lines.length > 0) {
    console.error(
      `${lines.length} ${lines.length === 1 ? 'place' : 'places'} to mend in ${relative('.', root) || '.'}: a docstring says what a thing is, its shape and unit, its default, and its errors; a type that is spoken of is exported beside what speaks of it`,
    )
    process.exitCode = 1
  }
}
