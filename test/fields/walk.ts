/**
 * Walks the fields of one kind of file: each is changed in a file that is otherwise right, and what comes of it must be what its table promises.
 * A library's walk is its table, a file, and for each field that counts another value of it.
 */
import { CheckpointError } from '../../src/checkpoint/checkpoint-error.js'
import { recipeFor } from '../../src/encoder/choose-recipe.js'
import { identityOf } from '../../src/encoder/identity.js'
import type { Field, FieldTable } from '../../src/model/fields.js'
import type { VitModel } from '../../src/model/read-vit.js'
import type { PlainRecord, PlainValue } from '../../src/plain-value.js'

export interface Walk {
  readonly table: FieldTable
  /** Is a file of the kind that can be read; the fields walked lie in it. */
  readonly base: PlainRecord
  /** Gives all that a file makes of a network; a `CheckpointError` is what is refused. */
  readonly read: (fields: PlainRecord) => unknown
  /** Holds, for each field that counts, fields that have another value of it; one that is undefined is left out. */
  readonly others: { readonly [field: string]: { readonly [field: string]: PlainValue | undefined } }
}

/** Gives all that files make of a network: what is computed, how images are made, what is said of both, and the identity of features. */
export function resultOf(vit: VitModel): unknown {
  const { config, weightShapes, assumptions, ignoredFields } = vit
  const recipe = recipeFor(vit, {})
  const engine = { name: 'reference', description: 'any', precision: 'float32' } as const
  // Which tensors become which weights follows from the config, and no walk changes their numbers.
  const identity = identityOf({
    name: 'any',
    weights: 'the same',
    origin: null,
    ignoredFields,
    config,
    recipe,
    engine,
  })
  return { config, weights: [...weightShapes], assumptions, preparation: vit.readPreparation(), identity }
}

/** Tells whether the field does what its table says, in a sentence where it does not. */
export function problemOrNull({ table, base, read, others }: Walk, name: string): string | null {
  const field = table.fields[name]
  if (field === undefined) return `${name} is in no table`
  const usual = outcome(read, base)
  const changed = (fields: { readonly [field: string]: PlainValue | undefined }) =>
    outcome(read, without({ ...base, ...fields }))
  if (field.use === 'nothing') {
    const values: PlainValue[] = ['another', 7, [1, 2], { a: 1 }, null, true, false]
    const other = values.find((value) => changed({ [name]: value }).text !== usual.text)
    return other === undefined ? null : `${name} changes something with ${JSON.stringify(other)}`
  }
  if (field.use === 'only') {
    const refused = field.values.find((value) => changed({ [name]: value }).text !== usual.text)
    if (refused !== undefined) return `${name} is not let pass with ${JSON.stringify(refused)}`
    const { text, code } = changed({ [name]: 'another' })
    return code === 'unsupported-field' && text.includes(name)
      ? null
      : `${name} is not refused by its name: ${text}`
  }
  const other = others[name]
  if (other === undefined) return `there is no other value of ${name} to try`
  // What else the other value needs is there in both, so that the field alone makes the difference.
  const before = changed({ ...other, [name]: base[name] })
  const { text, code } = changed(other)
  if (text === before.text) return `${name} counts, and changes nothing with ${JSON.stringify(other)}`
  return code === null || text.includes(name) ? null : `${name} is refused without its name: ${text}`
}

function outcome(
  read: Walk['read'],
  fields: PlainRecord,
): { readonly text: string; readonly code: string | null } {
  try {
    return { text: JSON.stringify(read(fields)), code: null }
  } catch (error) {
    if (error instanceof CheckpointError) return { text: error.message, code: error.code }
    throw error
  }
}

function without(fields: { readonly [field: string]: PlainValue | undefined }): PlainRecord {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as PlainRecord
}

/** Writes a table for people. */
export function fieldsInWords({ title, source, fields, prefix }: FieldTable): string {
  const rows = Object.entries(fields).map(
    ([name, field]) =>
      `| \`${prefix}${name}\` | ${useInWords(field)} | ${field.use === 'counts' ? field.how : field.why} |`,
  )
  return `## ${title}\n\nListed from ${source}.\n\n| field | what it does here | which is |\n|---|---|---|\n${rows.join('\n')}\n`
}

function useInWords(field: Field): string {
  if (field.use === 'counts') return 'counts'
  if (field.use === 'nothing') return 'changes nothing'
  return `refused unless ${field.values.map((value) => `\`${JSON.stringify(value)}\``).join(' or ')}`
}
