/**
 * Judges the fields of a file that lies beside weights, or in them, so that none is passed over in silence. Each kind of file has one table:
 * a field counts (a reader makes of it what its own library would), or changes nothing for features, or is refused unless it has one of the
 * values that are computed here. A field that no table has is refused by its name, since nobody here can know what it changes.
 */
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import { nearestNames } from '../nearest-names.js'
import type { PlainRecord, PlainValue } from '../plain-value.js'

export type Field =
  | { readonly use: 'counts'; readonly how: string }
  | { readonly use: 'nothing'; readonly why: string }
  | { readonly use: 'only'; readonly values: readonly PlainValue[]; readonly why: string }

export interface FieldTable {
  /** Names the library whose fields these are, and the place in its file, such as `transformers: config.json of a Dinov2Config`. */
  readonly title: string
  /** Says where the library documents them, and which version was read. */
  readonly source: string
  /** Says that the file lies beside the weights, and may be there by chance. */
  readonly isBeside?: boolean
  /** Stands before a field's name in errors: `pretrained_cfg.` for a record in a record, else nothing. */
  readonly prefix: string
  readonly fields: { readonly [name: string]: Field }
}

/** The field changes the result; `how` says what of it. The reader of the file judges its value. */
export function counts(how: string): Field {
  return { use: 'counts', how }
}

/** The field may have any value, since it changes no feature; `why` says what it is for. */
export function nothing(why: string): Field {
  return { use: 'nothing', why }
}

/** Only these values are computed here; `why` says what the others would change. */
export function only(values: readonly PlainValue[], why: string): Field {
  return { use: 'only', values, why }
}

/** Gives the same field use to several names. */
export function each(names: readonly string[], field: Field): { readonly [name: string]: Field } {
  return Object.fromEntries(names.map((name) => [name, field]))
}

export interface FieldContext {
  /** Names the file in errors. */
  readonly label: string
  /** Names fields that the caller knows to change nothing. A field of the table cannot be among them: what it does is known. */
  readonly ignored?: readonly string[] | undefined
}

/** Throws `CheckpointError` `unknown-field` for one that no table has, `unsupported-field` for a value that is not computed here. */
export function judgeFields(
  values: PlainRecord,
  table: FieldTable,
  { label, ignored = [] }: FieldContext,
): void {
  for (const [name, value] of Object.entries(values)) {
    const field = Object.hasOwn(table.fields, name) ? table.fields[name] : undefined
    const isIgnored = ignored.includes(table.prefix + name)
    if (field === undefined) {
      if (!isIgnored) throw unknownField(name, table, label)
    } else if (isIgnored && field.use !== 'nothing') {
      const known =
        'what it changes is known here, so that it cannot be passed over (ignoreFields, --ignore-field)'
      throw unsupportedValue(label, table.prefix + name, value, known)
    } else if (field.use === 'only' && !field.values.some((allowed) => isSame(allowed, value))) {
      throw unsupportedField(table.prefix + name, value, field, label)
    }
  }
}

/** Refuses a value of a field by its name. `expected` says what can be computed, and ends the sentence. */
export function unsupportedValue(
  label: string,
  name: string,
  value: PlainValue,
  expected: string,
): CheckpointError {
  return new CheckpointError(
    'unsupported-field',
    `${label}: ${name} is ${JSON.stringify(value)}, and ${expected}.`,
  )
}

function unsupportedField(
  name: string,
  value: PlainValue,
  { values, why }: Extract<Field, { readonly use: 'only' }>,
  label: string,
): CheckpointError {
  const known = values.map((allowed) => JSON.stringify(allowed)).join(' or ')
  return unsupportedValue(label, name, value, `only ${known} is computed here: ${why}`)
}

/** So near must a name be to be suggested: further away it is a guess. */
const NEAR = 3

function unknownField(name: string, table: FieldTable, label: string): CheckpointError {
  const [nearest] = nearestNames(name, Object.keys(table.fields), 1, NEAR)
  const hint = nearest === undefined ? '' : ` Is ${table.prefix}${nearest} meant?`
  const full = table.prefix + name
  return new CheckpointError(
    'unknown-field',
    `${label} has a field ${full}, which is none of the known ones (${table.title}), so what it changes is not known.${hint} ` +
      `If it changes no feature, say so: ignoreFields: ['${full}'] where a program loads it, --ignore-field ${full} on the command line.${table.isBeside === true ? ' If the file is of something else, move it away.' : ''}`,
  )
}

function isSame(a: PlainValue, b: PlainValue): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
