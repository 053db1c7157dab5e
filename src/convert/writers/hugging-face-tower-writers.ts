/** Writes the image towers of transformers' CLIP and SigLIP, alone but for a text tower of open_clip's CLIP, which comes along. */

import type { Dialect } from '../../model/dialects/dialect.js'
import { huggingFaceClip } from '../../model/families/hugging-face-clip.js'
import { huggingFaceSiglip } from '../../model/families/hugging-face-siglip.js'
import type { VitConfig } from '../../model/vit-config.js'
import type { PlainRecord } from '../../plain-value.js'
import { textOf } from '../holdings.js'
import type { Writer, WrittenFiles, WrittenNetwork } from '../writer.js'
import { huggingFaceClipText } from './hugging-face-clip-text.js'
import { squareTable } from './positions-held.js'
import { ACTIVATIONS, commonFields, processorFile } from './transformers-files.js'

/** Files of a bare tower have no name in front of their tensors, and those of CLIP's with a projection have `vision_model.`. */
const [BARE_CLIP, NAMED_CLIP] = huggingFaceClip
const [SIGLIP] = huggingFaceSiglip

export const huggingFaceClipWriter: Writer = {
  library: 'hugging-face',
  class: 'CLIPVisionModel',
  holds: {
    epsilon: 'any',
    preNorm: [true],
    finalNorm: ['pooled'],
    activation: ACTIVATIONS,
    stem: [{ kind: 'patchify', bias: false }],
    projection: 'any',
    positions: squareTable,
  },
  ...placesOf(({ projection }) => (projection === null ? BARE_CLIP : NAMED_CLIP)),
  text: huggingFaceClipText,
  files: (network) => {
    const { projection } = network.config
    if (typeof network.text !== 'string') return filesOfBoth(network, network.text.settings)
    const architecture = projection === null ? 'CLIPVisionModel' : 'CLIPVisionModelWithProjection'
    const fields = projection === null ? {} : { projection_dim: projection }
    return files(network, { modelType: 'clip_vision_model', architecture }, 'CLIPImageProcessor', fields)
  },
}

export const huggingFaceSiglipWriter: Writer = {
  library: 'hugging-face',
  class: 'SiglipVisionModel',
  holds: {
    classToken: [false],
    epsilon: 'any',
    activation: ACTIVATIONS,
    pooling: siglipPooling,
    positions: squareTable,
  },
  ...placesOf(() => SIGLIP),
  files: (network) =>
    files(
      network,
      { modelType: 'siglip_vision_model', architecture: 'SiglipVisionModel' },
      'SiglipImageProcessor',
      { vision_use_head: network.config.pooling.kind === 'attention' },
    ),
}

/** Both towers stand in one file, each with its settings. */
function filesOfBoth(network: WrittenNetwork, text: PlainRecord): WrittenFiles {
  const names = { modelType: 'clip_vision_model', architecture: 'CLIPVisionModel' }
  const { configFile = {}, ...others } = files(network, names, 'CLIPImageProcessor', {})
  const { architectures: _, dtype, ...vision } = configFile
  return {
    ...others,
    configFile: {
      architectures: ['CLIPModel'],
      model_type: 'clip',
      dtype: dtype ?? null,
      projection_dim: network.config.projection,
      vision_config: { ...vision, projection_dim: network.config.projection },
      text_config: text,
    },
  }
}

/** A head of attention is built of the tower's own settings. */
function siglipPooling({ pooling, heads, hidden, epsilon, activation }: VitConfig): string | null {
  const own = { kind: 'attention', heads, hidden, epsilon, activation }
  const held = [own, { kind: 'mean' }].map(textOf)
  return held.includes(textOf(pooling))
    ? null
    : `pooling: ${textOf(pooling)}, where it has ${held.join(' or ')}`
}

/** The dialect knows what it keeps in other places than its table says; of a file that is not there it takes all for stored. */
function placesOf(
  dialectOf: (config: VitConfig) => Dialect | undefined,
): Pick<Writer, 'source' | 'positions'> {
  const known = (config: VitConfig) => {
    const dialect = dialectOf(config)
    if (dialect === undefined) throw new Error('transformers has no layout of an image tower.')
    return dialect
  }
  return {
    source: (weight, shape, config) => known(config).source(weight, shape, config, new Map()),
    positions: (config) => {
      const table = known(config).positions(config)
      if (table === null) throw new Error('An image tower has a position table.')
      return table
    },
  }
}

function files(
  network: WrittenNetwork,
  names: { readonly modelType: string; readonly architecture: string },
  processorType: string,
  fields: PlainRecord,
): WrittenFiles {
  const processor = processorFile(network.recipe, processorType)
  return {
    configFile: { ...commonFields(network, names), intermediate_size: network.config.hidden, ...fields },
    ...(processor === undefined ? {} : { preprocessorFile: processor }),
  }
}
