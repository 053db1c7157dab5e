/**
 * Reads the lines in which Birder's networks are kept (network-lines.ts). A line is the network's fields with a space between them:
 *
 *     name class size parameters patch_size num_layers num_heads hidden_dim mlp_dim drop_path_rate [key=value ...]
 *
 * The size is HEIGHTxWIDTH, a `-` stands where Birder gives no size or count, and a value is JSON.
 */
import { parseJson } from '../checkpoint/parse-json.js'
import type { PlainValue } from '../plain-value.js'

export interface NetworkData {
  readonly class: string
  /** Holds what the network sets; the rest has the defaults of its class in Birder. */
  readonly config: { readonly [key: string]: PlainValue }
  /** [height, width] in pixels. It is null where Birder could not build the network. */
  readonly size: readonly [height: number, width: number] | null
  /** Counts the parameters without a classifier; it is null where Birder could not build the network. */
  readonly parameters: number | null
}

const COLUMNS = ['patch_size', 'num_layers', 'num_heads', 'hidden_dim', 'mlp_dim', 'drop_path_rate'] as const

/** Gives the networks by name, in the order of the lines. Throws an `Error` that quotes the line where one cannot be right. */
export function decodeNetworks(lines: string): ReadonlyMap<string, NetworkData> {
  return new Map([...linesByName(lines)].map(([name, line]) => [name, decodeNetwork(line)]))
}

/** Tells the lines apart by the names of their networks, which is all that most of them are read for. Throws an `Error` where two have one name. */
export function linesByName(text: string): ReadonlyMap<string, string> {
  const lines = new Map<string, string>()
  for (const line of text.trim().split('\n')) {
    const [name = ''] = line.split(' ', 1)
    if (lines.has(name)) throw new Error(`Two lines describe the network ${name}.`)
    lines.set(name, line)
  }
  return lines
}

/** Throws an `Error` that quotes the line where it cannot be right. */
export function decodeNetwork(line: string): NetworkData {
  const fields = line.split(' ').values()
  const next = (field: string): string => {
    const { value } = fields.next()
    if (value === undefined || value === '') throw new Error(`A network's line lacks its ${field}: ${line}`)
    return value
  }
  const number = (field: string, text: string): number => {
    if (/^\d+(\.\d+)?$/.test(text)) return Number(text)
    throw new Error(`A network's line has ${text} for its ${field}, which is no number: ${line}`)
  }
  const name = next('name')
  const kind = next('class')
  const size = next('size')
  const parameters = next('parameters')
  const config: { [key: string]: PlainValue } = {}
  for (const column of COLUMNS) config[column] = number(column, next(column))
  for (const field of fields) {
    const [, key, value] = /^(\w+)=(.+)$/.exec(field) ?? []
    if (key === undefined || value === undefined)
      throw new Error(`A network's line has ${field} where key=value is expected: ${line}`)
    config[key] = parseJson(value, `${name}'s ${key}`)
  }
  return {
    class: kind,
    config,
    size: size === '-' ? null : decodeSize(size, line),
    parameters: parameters === '-' ? null : number('parameters', parameters),
  }
}

function decodeSize(size: string, line: string): readonly [height: number, width: number] {
  const [, height, width] = /^(\d+)x(\d+)$/.exec(size) ?? []
  if (height !== undefined && width !== undefined) return [Number(height), Number(width)]
  throw new Error(`A network's line has the size ${size}, where HEIGHTxWIDTH is expected: ${line}`)
}
