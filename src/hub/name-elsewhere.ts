/**
 * Answers names that other libraries give weights which cannot be fetched by them here: it says where the same weights lie, and leaves the choice to
 * whoever asked, since such a name says less than a file does.
 */
import { nearestNames } from '../nearest-names.js'
import { OPEN_EQUIVALENTS } from './open-equivalents.js'
import { isOfTorchHub, TORCH_HUB_NAMES, torchHubName } from './torch-hub.js'

/** Gives whole sentences, or null for a text that is no such name. */
export function elsewhereOrNull(text: string): string | null {
  return dinov3(text) ?? torchHub(text) ?? openClip(text) ?? ijepa(text)
}

/** Meta sends each person links of their own for the files of DINOv3 (README.md of facebookresearch/dinov3). */
function dinov3(text: string): string | null {
  const [, network] = /^dinov3_(vit\w+|convnext_\w+)$/.exec(torchHubName(text)) ?? []
  if (network === undefined) return null
  if (network.startsWith('convnext'))
    return `${text} is DINOv3's ConvNeXt, a convolutional network, and is not run: vision transformers are.`
  const pairs = Object.entries(OPEN_EQUIVALENTS).filter(([gated]) =>
    gated.startsWith(`facebook/dinov3-${network}-`),
  )
  const places = pairs.map(([gated, open]) => `${open}, and gated as ${gated}`)
  const where =
    places.length === 0
      ? 'Give the file that you have downloaded.'
      : `The same weights are open as ${places.join('; ')}. Name one of these, or give the file that you have downloaded.`
  return `${text} is a name of torch.hub, for whose files Meta sends each person links of their own. ${where}`
}

/** A branch may change what a name means, and heads of depth are not run. */
function torchHub(text: string): string | null {
  const name = torchHubName(text)
  const [, trunk] = /^(dinov2_vit[sblg]14(?:_reg)?)_(?:ld|dd)$/.exec(name) ?? []
  if (trunk !== undefined)
    return `${text} is ${trunk} with a head of torch.hub's that tells depth, which is not run. Name ${trunk} for the network alone, or ${trunk}_lc for the one with its classifier.`
  if (!isOfTorchHub(text)) return null
  const last = text.slice(text.lastIndexOf(':') + 1)
  const near = nearestNames(last, TORCH_HUB_NAMES, 1, 3).map((name) => ` Is ${name} meant?`)
  return (
    `${text} is none of the names of torch.hub that are fetched.${near.join('')} Fetched are ` +
    `${TORCH_HUB_NAMES.join(', ')}, alone or as facebookresearch/dinov2:${TORCH_HUB_NAMES[0]}, at the main branch.`
  )
}

/** Gives timm's architecture of open_clip's image towers, as open_clip's model_configs have their sizes. */
const TOWERS: Readonly<Record<string, string>> = {
  'B-32': 'vit_base_patch32',
  'B-16': 'vit_base_patch16',
  'L-16': 'vit_large_patch16',
  'L-14': 'vit_large_patch14',
  'H-14': 'vit_huge_patch14',
  'g-14': 'vit_giant_patch14',
  'bigG-14': 'vit_gigantic_patch14',
  'SO400M-14': 'vit_so400m_patch14',
  'SO400M-16': 'vit_so400m_patch16',
}

/** open_clip names weights by an architecture and, apart from it, a tag. Only the owner's part of an id of Hugging Face could look alike. */
const OPEN_CLIP = /^ViT-([A-Za-z0-9]+-\d+)((?:-[A-Za-z0-9]+)*)(?:\/([\w.-]+))?$/

function openClip(text: string): string | null {
  const [, tower = '', rest = '', tag = ''] = OPEN_CLIP.exec(text) ?? []
  if (!Object.hasOwn(TOWERS, tower)) return null
  const kind = /siglip/i.test(rest) ? '_siglip' : '_clip'
  const gelu = kind === '_clip' ? ' (quickgelu in them is what OpenAI, MetaCLIP and DFN trained with)' : ''
  const whole =
    kind === '_siglip'
      ? `timm/ViT-${tower}${rest}`
      : tag.startsWith('openai')
        ? `openai/clip-${TOWERS[tower]?.replaceAll('_', '-')}`
        : `laion/CLIP-ViT-${tower}-…`
  return (
    `${text} is a name of open_clip, which says an architecture and maybe a tag, and no file. ` +
    `timm has its image towers under names that begin with timm/${TOWERS[tower]}${kind}_${gelu}; ` +
    `whole models lie in repositories such as ${whole}. Name one of these, owner/name.`
  )
}

/** timm fetches these four from Meta, under its own names (`url` of the pretrained configs of timm 1.0.31). */
const IJEPA: Readonly<Record<string, string>> = {
  'vit_huge_patch14_gap_224.in1k_ijepa': 'facebook/ijepa_vith14_1k',
  'vit_huge_patch14_gap_224.in22k_ijepa': 'facebook/ijepa_vith14_22k',
  'vit_huge_patch16_gap_448.in1k_ijepa': 'facebook/ijepa_vith16_1k',
  'vit_giant_patch16_gap_224.in22k_ijepa': 'facebook/ijepa_vitg16_22k',
}

function ijepa(text: string): string | null {
  const name = text.replace(/^(hf[-_]hub:)?timm\//, '')
  if (!Object.hasOwn(IJEPA, name)) return null
  return `timm has no repository of ${name}: it takes Meta's own file. The same network lies in ${IJEPA[name]}. Name that, or give Meta's file.`
}
