/** Writes a typed table as text: JSON lines, and CSV. */
import { csvField } from './csv.js'
import { float32Text } from './float32-text.js'
import { jsonText } from './json-text.js'
import { type ColumnType, type TypedTable, type Value, valueAt, vectorAt } from './typed-table.js'

/** Writes an object for each row; times are text as `2024-01-31T12:00:00.000Z`. */
export async function* typedJsonLines({ columns, vector, blocks }: TypedTable): AsyncGenerator<string> {
  for await (const block of blocks) {
    for (let row = 0; row < block.count; row++) {
      const fields = columns.map(
        ({ name, type }) => `${jsonText(name)}:${jsonText(shown(valueAt(block, name, row), type))}`,
      )
      if (vector !== null) {
        const found = vectorAt(block, vector.width, row)
        const numbers = found === null ? 'null' : `[${Array.from(found, float32Text).join(',')}]`
        fields.push(`${jsonText(vector.name)}:${numbers}`)
      }
      yield `{${fields.join(',')}}\n`
    }
  }
}

/**
 * Writes a line of names, then a line for each row; the numbers of a vector are columns 0, 1, …. What is not known is empty, a text that is empty is `""`, and a
 * list is JSON.
 */
export async function* typedCsv({ columns, vector, blocks }: TypedTable): AsyncGenerator<string> {
  const numbers = Array.from({ length: vector?.width ?? 0 }, (_, at) => String(at))
  yield `${[...columns.map(({ name }) => csvField(name)), ...numbers].join(',')}\n`
  for await (const block of blocks) {
    for (let row = 0; row < block.count; row++) {
      const fields = columns.map(({ name, type }) => csvValue(shown(valueAt(block, name, row), type)))
      const found = vector === null ? null : vectorAt(block, vector.width, row)
      for (let at = 0; at < numbers.length; at++)
        fields.push(found === null ? '' : float32Text(found[at] ?? 0))
      yield `${fields.join(',')}\n`
    }
  }
}

function shown(value: Value, type: ColumnType): Value {
  return type === 'timestamp' && typeof value === 'number' ? timeText(value) : value
}

function csvValue(value: Value): string {
  if (value === null) return ''
  if (value === '') return '""'
  return csvField(typeof value === 'string' ? value : jsonText(value))
}

/** Times beyond what a date can say stay numbers. */
function timeText(milliseconds: number): Value {
  return Math.abs(milliseconds) <= 8.64e15 ? new Date(milliseconds).toISOString() : milliseconds
}
