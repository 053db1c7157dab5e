/**
 * Reads the config.json that transformers keeps beside a network of one of its model types, and what the tensors show of the same. Every family of
 * transformers but DINOv2, which is told by its tensors alone where it must be, needs its file: heads and activation are in no tensor.
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { ActivationKind } from '../../engine/plan.js'
import type { Preparation } from '../../image/preparation.js'
import { isRecord, type PlainRecord } from '../../plain-value.js'
import { agree, agreeOnSizes } from '../dialects/agree.js'
import { configFileOf } from '../dialects/config-file.js'
import { ConfigReader } from '../dialects/config-reader.js'
import type { VitHints } from '../dialects/dialect.js'
import { storedSize } from '../dialects/headers.js'
import { TRANSFORMERS_ACTIVATIONS } from '../dialects/transformers-config.js'
import { type Processor, processorFileOf, readProcessor } from '../dialects/transformers-processor.js'
import { transformersTransparency } from '../dialects/transformers-transparency.js'
import { type FieldTable, judgeFields } from '../fields.js'
import type { PatchGrid } from '../positions.js'
import type { RgbStats, VitConfig } from '../vit-config.js'

/** Says which files a family has. */
export interface TransformersKind {
  /** Names it in errors, such as DINOv3. */
  readonly family: string
  /** Lists the values of `model_type` that are this family. */
  readonly types: readonly string[]
  /** Judges the fields of the file, or of its `vision_config` where it has one. */
  readonly table: FieldTable
  /** Judges the fields around `vision_config`; absent for families that have no other tower. */
  readonly outer?: FieldTable
}

/** Throws `CheckpointError` `contradiction` where there is no file, `unsupported-network` for another type, and by the name of a field. */
export function transformersFile(
  checkpoint: Checkpoint,
  hints: VitHints,
  { family, types, table, outer }: TransformersKind,
): ConfigReader {
  const { label } = checkpoint
  const where = `${label}: the config.json beside it`
  const file = configFileOf(checkpoint, hints, 'transformers')
  if (file === null) {
    throw new CheckpointError(
      'contradiction',
      `${label} is a ${family} of Hugging Face transformers, and there is no config.json beside it: heads, epsilon and activation are in no tensor. Keep the config.json of its repository beside it.`,
    )
  }
  const context = { label: where, ignored: hints.ignoreFields }
  const type = file.model_type
  const vision = file.vision_config
  if (isRecord(vision) && outer !== undefined) {
    refuseOtherTypes(type, types, family, where)
    refuseOtherTypes(vision.model_type, types, family, `${where} (vision_config)`)
    judgeFields(file, outer, context)
    const settings = withOlderSettings(file, vision, where)
    judgeFields(settings, table, context)
    return new ConfigReader(settings, `${where} (vision_config)`)
  }
  refuseOtherTypes(type, types, family, where)
  judgeFields(file, table, context)
  return new ConfigReader(file, where)
}

/** Gives the settings around both towers; null where the file is of the image tower alone. */
export function outerConfig(
  checkpoint: Checkpoint,
  hints: VitHints,
  { outer }: TransformersKind,
): ConfigReader | null {
  const file = configFileOf(checkpoint, hints, 'transformers')
  if (file === null || outer === undefined || !isRecord(file.vision_config)) return null
  return new ConfigReader(file, `${checkpoint.label}: the config.json beside it`)
}

/** CLIP's first files have the settings twice, and the others would count; where the two differ it is not known which are the network's. */
function withOlderSettings(file: PlainRecord, vision: PlainRecord, where: string): PlainRecord {
  const older = file.vision_config_dict
  if (!isRecord(older)) return vision
  for (const [key, value] of Object.entries(older)) {
    if (!Object.hasOwn(vision, key) || JSON.stringify(vision[key]) === JSON.stringify(value)) continue
    throw new CheckpointError(
      'contradiction',
      `${where}: ${key} is ${JSON.stringify(vision[key])} in vision_config and ${JSON.stringify(value)} in vision_config_dict. Keep the one that the network has.`,
    )
  }
  return { ...vision, ...older }
}

function refuseOtherTypes(
  type: PlainRecord[string] | undefined,
  types: readonly string[],
  family: string,
  where: string,
): void {
  if (type === undefined || type === null || (typeof type === 'string' && types.includes(type))) return
  throw new CheckpointError(
    'contradiction',
    `${where} says model_type ${JSON.stringify(type)}, and of networks with such tensors ${family} is run (${types.join(', ')}). ` +
      'If the config belongs to another network than the weights, put the right one beside them.',
  )
}

/** Gives the activation that a setting names. */
export function activationOf(reader: ConfigReader, key: string, fallback: string): ActivationKind {
  return reader.choice(key, TRANSFORMERS_ACTIVATIONS, fallback)
}

/** Gives the heads that the caller or the file names, or those of the class. */
export function headsOf(reader: ConfigReader, hints: VitHints, fallback: number): number {
  return (
    hints.heads ?? (reader.has('num_attention_heads') ? reader.positive('num_attention_heads') : fallback)
  )
}

/** Says where the rows of a position table are, or of one of offsets. */
interface StoredGrid {
  /** Names the table; null where the network has none, so that the size alone counts. */
  readonly table: { readonly tensor: string; readonly axis: number } | null
  /** Counts the rows that the table has for a grid. */
  readonly rowsOf: (grid: PatchGrid) => number
  readonly patchSize: number
  /** Is the side that the class has where the file does not say. */
  readonly fallback: number
}

/** Gives the trained grid. Throws `contradiction` where the table of the weights has another. */
export function gridOf(
  checkpoint: Checkpoint,
  reader: ConfigReader,
  hints: VitHints,
  { table, rowsOf, patchSize, fallback }: StoredGrid,
): PatchGrid {
  const [height, width] = hints.size ?? reader.sides('image_size', [fallback, fallback])
  const grid = { rows: Math.floor(height / patchSize), columns: Math.floor(width / patchSize) }
  const rows = table === null ? null : storedSize(checkpoint, table.tensor, table.axis, 'hugging-face')
  if (rows === null || rows === rowsOf(grid)) return grid
  throw new CheckpointError(
    'contradiction',
    `${checkpoint.label}: its table ${table?.tensor} has ${rows} rows, and ${grid.rows} x ${grid.columns} patches (image_size ${height} x ${width}) need ${rowsOf(grid)}. ` +
      'The config belongs to another network than the weights, or trainedSize (--trained-size) is wrong.',
  )
}

/** Throws `contradiction` where the file and the tensors say different things. */
export function agreeOnShape(reader: ConfigReader, config: VitConfig): void {
  agreeOnSizes(reader, config)
  agree(reader, 'intermediate_size', config.hidden)
}

/** Gives the levels that the processor's file names, or those of the family's own processor. */
export function levelsOf(checkpoint: Checkpoint, hints: VitHints, own: PlainRecord): RgbStats {
  return processorOf(checkpoint, hints, own, null).rgbStats
}

/**
 * Gives what the processor's file says about making input, or what the family's own processor does by default.
 *
 * @param own is the file that the family would have if it said nothing but the class
 * @param patchSize is that of a network that takes images of any shape; null where it takes one
 */
export function preparationOf(
  checkpoint: Checkpoint,
  hints: VitHints,
  own: PlainRecord,
  patchSize: number | null = null,
): Preparation {
  const { label } = checkpoint
  const told = processorOf(checkpoint, hints, own, patchSize).preparation
  if (told.kind !== 'edges' && patchSize === null) {
    throw new CheckpointError(
      'unsupported-field',
      `${label}: the ${processorFileOf(hints)?.name} beside it (image_processor_type) gives each image a size of its own, which only SigLIP 2 with NaFlex is run at so far. ` +
        'Name a recipe instead: recipe (--recipe) native keeps the shape of each image.',
    )
  }
  return {
    ...told,
    transparency: transformersTransparency(configFileOf(checkpoint, hints, 'transformers')),
  }
}

function processorOf(
  { label }: Checkpoint,
  hints: VitHints,
  own: PlainRecord,
  patchSize: number | null,
): Processor {
  const file = processorFileOf(hints)
  if (file === null) return readProcessor({ name: 'preprocessor_config.json', settings: own }, label)
  return readProcessor(file, label, hints.ignoreFields, patchSize)
}

/** Says what was assumed where no file has an image processor. */
export function processorAssumption(
  { label }: Checkpoint,
  hints: VitHints,
  family: string,
): readonly string[] {
  if (processorFileOf(hints) !== null || hints.normalisation !== undefined) return []
  return [
    `There is no preprocessor_config.json beside ${label}, so images are prepared as the processor of ${family} does by default where options do not say otherwise. ` +
      'The options are recipe, size and normalisation (--recipe, --size, --normalisation).',
  ]
}
