/** Holds a setting of a file against what the tensors show, since one of two that differ belongs to another network. */
import type { ConfigReader } from './config-reader.js'

/** Throws `contradiction` where the file has the setting and says something else. */
export function agree(reader: ConfigReader, key: string, shown: number | boolean): void {
  if (!reader.has(key)) return
  const said = typeof shown === 'number' ? reader.number(key, shown) : reader.flag(key, shown)
  if (said !== shown) throw reader.contradicts(key, shown)
}
