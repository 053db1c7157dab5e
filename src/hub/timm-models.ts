/** Lists the weights that timm publishes of the architectures that are run: they follow from the architectures' own lines. */
import { timmArchitectures } from '../model/dialects/timm-architectures.js'
import { elsewhereOrNull } from './name-elsewhere.js'

/** timm 1.0.31 has pretrained configs of these without weights. */
const WITHOUT_WEIGHTS: ReadonlySet<string> = new Set([
  'test_vit4.r160_in1k',
  'vit_base_patch32_clip_224.openai_ft_in12k_in1k',
  'vit_huge_patch14_clip_336.laion2b_ft_in1k',
  'eva02_enormous_patch14_clip_224.pretrain',
])

/** Gives ids of repositories, `timm/` in front; they are known by their ends alone as well. */
export function timmModels(): readonly string[] {
  return timmArchitectures()
    .flatMap(({ name, inputs }) => [...inputs.keys()].map((tag) => ({ tag, name: `${name}.${tag}` })))
    .filter(({ tag, name }) => tag !== 'untrained' && !WITHOUT_WEIGHTS.has(name))
    .map(({ name }) => `timm/${name}`)
    .filter((id) => elsewhereOrNull(id) === null)
}
