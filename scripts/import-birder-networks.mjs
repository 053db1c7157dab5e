/**
 * Writes src/model/networks-data.ts from a dump of Birder's model registry:
 *
 *     node scripts/import-birder-networks.mjs <configs.json>
 *
 * The dump holds, for every registered network, its class, its resolved config, its default size and its state-dict shapes
 * (too large to ship, and derivable). Facts from Birder (Apache-2.0), github.com/birder-project/birder.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const { birder_version: version, networks } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const lines = Object.entries(networks).map(
  ([name, { class: kind, config, size, parameters_0_classes: parameters }]) => {
    return `  ${JSON.stringify(name)}: ${JSON.stringify({ class: kind, config, size: size ?? null, parameters: parameters ?? null })},`
  },
)
writeFileSync(
  'src/model/networks-data.ts',
  `/**
 * Every network of Birder ${version}'s vision-transformer families: class, config, default size, parameters without a classifier.
 * Written by scripts/import-birder-networks.mjs from Birder's registry (Apache-2.0).
 */
import type { PlainValue } from '../checkpoint/checkpoint.js'

export interface NetworkData {
  readonly class: string
  readonly config: { readonly [key: string]: PlainValue }
  readonly size: readonly number[] | null
  readonly parameters: number | null
}

export const BIRDER_NETWORKS: { readonly [name: string]: NetworkData } = {
${lines.join('\n')}
}
`,
)
