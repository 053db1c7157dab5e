/** Reads which columns an output is to have. */
import { InvalidArgumentError } from 'commander'
import { COLUMN_CONTENTS, type Column, type ColumnContent } from '../formats/embedding-table.js'
import { nearestNames } from '../nearest-names.js'
import type { OutputFormat } from '../work/output-format.js'
import { UsageError } from './cli-error.js'

/** Reads `path,embedding` or `sample=path,vector=embedding`, for commander. */
export function parseColumns(text: string): readonly Column[] {
  const columns = text.split(',').map(parseColumn)
  const names = columns.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new InvalidArgumentError(`Two columns cannot be called ${twice}.`)
  const kept = columns.filter(({ holds }) => holds === 'embedding').length
  if (kept === 1) return columns
  throw new InvalidArgumentError(`One of the columns must be embedding; here are ${kept} of them.`)
}

function parseColumn(text: string): Column {
  const [left = '', right, ...more] = text.split('=').map((part) => part.trim())
  const holds = right ?? left
  if (isContent(holds) && left !== '' && more.length === 0) return { name: left, holds }
  throw new InvalidArgumentError(
    `Expected some of ${COLUMN_CONTENTS.join(', ')}, separated by commas, each as itself or as name=column; found ${text}. ` +
      `Did you mean ${nearestNames(holds, COLUMN_CONTENTS, 1).join()}?`,
  )
}

function isContent(text: string): text is ColumnContent {
  return COLUMN_CONTENTS.some((content) => content === text)
}

/** Throws `UsageError` for a format that has no columns to choose. */
export function checkColumns(columns: readonly Column[] | undefined, format: OutputFormat): void {
  if (columns === undefined || format === 'jsonl' || format === 'parquet') return
  const why = format === 'csv' ? 'is laid out as Birder writes it' : 'is one array'
  throw new UsageError(`${format} ${why}: --columns is for jsonl and parquet.`)
}
