/** Answers what all outputs ask of the table of operations. */

/** A list of more kinds than these tells nothing. */
const MOST_NAMED = 5

/**
 * Lists every field with its parts, and the kinds that use it.
 *
 * @returns {{ name: string, type: string, meaning: string, isPartial: boolean, initial: number, parts: [name: string, type: string][] | null }[]}
 */
export function fieldsOf({ FIELDS, PARTS, OPS }) {
  return Object.entries(FIELDS).map(([name, { type, unit, meaning, isPartial = false, initial = 0 }]) => {
    const kinds = Object.keys(OPS).filter((kind) => OPS[kind].uses.includes(name))
    if (kinds.length === 0) throw new Error(`No operation uses the field ${name}.`)
    const users = kinds.length > MOST_NAMED ? '' : ` It is used by ${kinds.join(', ')}.`
    return {
      name,
      type,
      isPartial,
      initial,
      meaning: `${unit === undefined ? '' : `[${unit}] `}${meaning}${users}`,
      parts: type in PARTS ? Object.entries(PARTS[type]) : null,
    }
  })
}

/** Counts the numbers that an operation takes: its kind, and every field or its parts. */
export function countNumbers(table) {
  return 1 + fieldsOf(table).reduce((sum, { parts }) => sum + (parts?.length ?? 1), 0)
}

/** @param {string} name such as `leaky_relu` */
export function camelCase(name) {
  return name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())
}

/** @param {string} name such as `copyIn` or `leaky_relu` */
export function upperCase(name) {
  return name.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase()
}

/** @param {string} name such as `copyIn` */
export function capitalised(name) {
  return name[0].toUpperCase() + name.slice(1)
}

/** The members of an enumeration in the order of their numbers: behind the activations come the functions that they are made of. */
export function membersOf({ ENUMERATIONS, FUNCTIONS }, type) {
  return type === 'activation' ? [...ENUMERATIONS[type], ...FUNCTIONS] : ENUMERATIONS[type]
}
