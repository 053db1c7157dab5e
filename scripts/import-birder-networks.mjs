/**
 * Writes src/model/network-lines.ts from a dump of Birder's model registry:
 *
 *     node scripts/import-birder-networks.mjs <configs.json>
 *
 * The dump holds the class, the resolved config, the default size and the state-dict shapes of every registered network. The
 * shapes are left out, since they follow from the config and are far too large to ship. The facts are Birder's (Apache-2.0,
 * github.com/birder-project/birder). How a line reads is told in src/model/decode-networks.ts, and its test compares the
 * decoded lines with a dump again.
 */
import { readFileSync, writeFileSync } from 'node:fs'

/** Every network has these settings, so they stand without their names, in this order. */
const COLUMNS = ['patch_size', 'num_layers', 'num_heads', 'hidden_dim', 'mlp_dim', 'drop_path_rate']

const [dump] = process.argv.slice(2)
if (dump === undefined) throw new Error('Which dump? Pass the path of configs.json.')
const { birder_version: version, networks } = JSON.parse(readFileSync(dump, 'utf8'))

const lines = Object.entries(networks).map(([name, { class: kind, config, size, parameters_0_classes }]) => {
  const missing = COLUMNS.find((key) => typeof config[key] !== 'number')
  if (missing !== undefined) throw new Error(`${name} has no number ${missing}, which every line needs.`)
  const others = Object.entries(config).filter(([key]) => !COLUMNS.includes(key))
  const fields = [
    name,
    kind,
    size?.join('x') ?? '-',
    parameters_0_classes ?? '-',
    ...COLUMNS.map((key) => config[key]),
    ...others.map(([key, value]) => `${key}=${JSON.stringify(value)}`),
  ]
  const line = fields.join(' ')
  if (line.split(' ').length !== fields.length || /[`$\\\n]/.test(line))
    throw new Error(`${name} cannot be written as a line of fields: ${line}`)
  return line
})

writeFileSync(
  'src/model/network-lines.ts',
  `/**
 * Lists every network of Birder ${version}'s vision-transformer families, one a line, as decode-networks.ts reads it.
 * scripts/import-birder-networks.mjs has written this file from Birder's registry (Apache-2.0).
 */
export const NETWORK_LINES: string = \`
${lines.join('\n')}
\`
`,
)
