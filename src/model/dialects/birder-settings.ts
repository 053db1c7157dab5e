/** Finds the settings of a Birder network: of the one that is named, by its class, or by what its tensors show. */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { PlainRecord } from '../../plain-value.js'
import { judgeFields, unsupportedValue } from '../fields.js'
import {
  classOf,
  findNetwork,
  hasSettings,
  networkOfFileOrNull,
  type SettingGroup,
  settingsLackedBy,
} from '../networks.js'
import { classOfTensorsOrNull } from './birder-classes.js'
import type { BirderEntries } from './birder-entries.js'
import { BIRDER_CONFIG, BIRDER_GROUPS } from './birder-fields.js'
import type { VitHints } from './dialect.js'
import { identifyNetwork } from './identify-network.js'
import { inferBirderConfig } from './infer-birder-config.js'

/** Says which network a file is of, and with which settings. */
export interface ChosenSettings {
  /** Names Birder's class. */
  readonly class: string
  readonly network: string | null
  readonly settings: PlainRecord
  readonly assumptions: readonly string[]
}

/** Throws `unsupported-network` and `unsupported-field` for what cannot be run, `contradiction` where nothing tells the heads. */
export function chooseSettings(
  checkpoint: Checkpoint,
  entries: BirderEntries,
  hints: VitHints,
): ChosenSettings {
  const { tensors, label } = checkpoint
  judgeFields(hints.config ?? {}, BIRDER_CONFIG, { label: 'The option config', ignored: hints.ignoreFields })
  const heads = hints.heads === undefined ? {} : { num_heads: hints.heads }
  const own = { ...entries.config, ...hints.config, ...heads }
  const name = hints.network ?? entries.network ?? networkOfFileOrNull(label)
  if (name !== null) {
    const { class: kind, name: network, config } = findNetwork(name)
    refuseOtherSettings(kind, own, label)
    return { class: kind, network, settings: { ...config, ...own }, assumptions: [] }
  }
  if (entries.class !== null) {
    const { name: kind, defaults } = classOf(label, entries.class)
    refuseOtherSettings(kind, own, label)
    return { class: kind, network: null, settings: { ...defaults, ...own }, assumptions: [] }
  }
  refuseUnnamedExperts(checkpoint)
  const settings = inferBirderConfig(tensors, hints.size ?? entries.signature?.size ?? null)
  const shownClass = classOfTensorsOrNull(tensors)
  const shown = { settings, own, class: shownClass, groups: groupsOf(own), label }
  const { class: kind, config, assumptions } = identifyNetwork(shown)
  refuseOtherSettings(kind, own, label)
  const all = { ...classOf(label, kind).defaults, ...(config ?? settings), ...own }
  refuseUnknownHeads(all, label)
  return { class: kind, network: null, settings: all, assumptions }
}

/** Lists the groups of settings that only some classes have, of which these settings give one. */
function groupsOf(own: PlainRecord): readonly SettingGroup[] {
  return (Object.keys(BIRDER_GROUPS) as SettingGroup[]).filter((group) =>
    BIRDER_GROUPS[group].settings.some((name) => own[name] !== undefined && own[name] !== null),
  )
}

/** Birder passes over a setting that a class does not have; whoever gives it expects something of it. */
function refuseOtherSettings(kind: string, own: PlainRecord, label: string): void {
  for (const group of groupsOf(own)) {
    if (hasSettings({ class: kind }, [group])) continue
    const { about, settings } = BIRDER_GROUPS[group]
    const name = settings.find((one) => own[one] !== undefined && own[one] !== null) ?? group
    throw unsupportedValue(
      label,
      `config.${name}`,
      own[name] ?? null,
      `it is a setting of ${about}, which Birder's class ${kind} does not have`,
    )
  }
  const lacked = settingsLackedBy({ class: kind }).find(
    (name) => own[name] !== undefined && own[name] !== null,
  )
  if (lacked === undefined) return
  throw unsupportedValue(
    label,
    `config.${lacked}`,
    own[lacked] ?? null,
    `Birder's class ${kind} has no such setting`,
  )
}

/** How many experts a token sees, and how their answers are weighted, shows in no tensor; nor does it whether positions are rotary. */
function refuseUnnamedExperts({ tensors, label }: Pick<Checkpoint, 'tensors' | 'label'>): void {
  const router = [...tensors.keys()].find((name) => name.endsWith('.mlp.router.gate.weight'))
  if (router === undefined) return
  throw new CheckpointError(
    'unsupported-network',
    `${label} holds a network of routed experts, told by ${router}, and does not say which: no tensor tells how tokens are routed. ` +
      "Name it: network: 'vit_moe_…' or another of ViT_MoE and RoPE_ViT_MoE where a program loads it, --network NAME on the command line; " +
      'what differs from that network goes into config.',
  )
}

/** Tensors look the same with any number of heads. */
function refuseUnknownHeads({ num_heads: heads }: PlainRecord, label: string): void {
  if (heads !== undefined && heads !== null) return
  throw new CheckpointError(
    'contradiction',
    `${label} does not say how many attention heads it has, and its tensors are of no registered network. Say it: ` +
      'heads: NUMBER where a program loads it, --heads NUMBER on the command line; or name its network (network, --network).',
  )
}
