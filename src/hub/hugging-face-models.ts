/**
 * Lists what makers publish at Hugging Face of the families that are read, as public pages say: a family's facts once, then a
 * repository a line, with what its page says of its size (M and B count parameters, MB and GB the bytes of its weights). What no page was found for is
 * not listed, nor what lies there in a form that only its makers' own code reads: most of apple/aimv2-*, nvidia/C-RADIO* before version 4, facebook/EUPE-*
 * (timm has them all).
 */
export interface PublishedModel {
  readonly family: string
  /** Is null where its page names none. */
  readonly licence: string | null
  readonly gated: boolean
  /** Counts millions, as coarsely as the page does. */
  readonly parameters: number | null
  /** Counts millions of bytes of weights. */
  readonly megabytes: number | null
  /** Is the page, or where else it was read. */
  readonly source: string
}

type Family = Pick<PublishedModel, 'family' | 'licence' | 'source'> & {
  readonly gated?: true
  readonly models: string
}

const HUB = 'https://huggingface.co'
/** Says that a repository's own page or list of files was read. */
const OWN_PAGE = 'the page of the repository at Hugging Face'

const FAMILIES: readonly Family[] = [
  {
    family: 'DINOv3',
    licence: 'dinov3-license',
    gated: true,
    source: `${HUB}/collections/facebook/dinov3`,
    models: `
      facebook/dinov3-vits16-pretrain-lvd1689m 21.6M
      facebook/dinov3-vits16plus-pretrain-lvd1689m 28.7M
      facebook/dinov3-vitb16-pretrain-lvd1689m 85.7M
      facebook/dinov3-vitl16-pretrain-lvd1689m 0.3B
      facebook/dinov3-vitl16-pretrain-sat493m 0.3B
      facebook/dinov3-vith16plus-pretrain-lvd1689m 0.8B
      facebook/dinov3-vit7b16-pretrain-lvd1689m 7B
      facebook/dinov3-vit7b16-pretrain-sat493m 7B`,
  },
  {
    family: 'DINO',
    licence: 'apache-2.0',
    source: 'pages of copies at Hugging Face, which name these as their origin',
    models: `
      facebook/dino-vits8
      facebook/dino-vitb8
      facebook/dino-vitb16`,
  },
  {
    family: 'Web-SSL DINO',
    licence: null,
    source: `${HUB}/collections/facebook/web-ssl`,
    models: `
      facebook/webssl-dino300m-full2b-224 0.3B
      facebook/webssl-dino300m-light2b-224 0.3B
      facebook/webssl-dino1b-full2b-224 1B
      facebook/webssl-dino2b-full2b-224 2B
      facebook/webssl-dino2b-light2b-224 2B
      facebook/webssl-dino2b-heavy2b-224 2B
      facebook/webssl-dino3b-full2b-224 3B
      facebook/webssl-dino3b-light2b-224 3B
      facebook/webssl-dino3b-heavy2b-224 3B
      facebook/webssl-dino5b-full2b-224 5B
      facebook/webssl-dino7b-full8b-224 6B
      facebook/webssl-dino7b-full8b-378 6B
      facebook/webssl-dino7b-full8b-518 6B`,
  },
  {
    family: 'ViT',
    licence: 'apache-2.0',
    source: `${HUB}/models?search=google/vit`,
    models: `
      google/vit-base-patch16-224 86.6M
      google/vit-base-patch16-224-in21k 86.4M
      google/vit-base-patch16-384 86.9M
      google/vit-base-patch32-224-in21k 88M
      google/vit-base-patch32-384 88.3M
      google/vit-large-patch16-224
      google/vit-large-patch16-224-in21k 0.3B
      google/vit-large-patch16-384
      google/vit-large-patch32-224-in21k
      google/vit-large-patch32-384
      google/vit-huge-patch14-224-in21k 0.6B`,
  },
  {
    family: 'DeiT',
    licence: 'apache-2.0',
    source: OWN_PAGE,
    models: `
      facebook/deit-tiny-distilled-patch16-224
      facebook/deit-small-patch16-224
      facebook/deit-base-patch16-224 346MB
      facebook/deit-base-distilled-patch16-224
      facebook/deit-base-distilled-patch16-384 351MB`,
  },
  {
    family: 'BEiT',
    licence: 'apache-2.0',
    source: OWN_PAGE,
    models: `
      microsoft/beit-base-patch16-224
      microsoft/beit-base-patch16-224-pt22k 368MB
      microsoft/beit-base-patch16-224-pt22k-ft22k
      microsoft/beit-base-patch16-384
      microsoft/beit-large-patch16-224-pt22k 1.25GB
      microsoft/beit-large-patch16-224-pt22k-ft22k 1.31GB
      microsoft/beit-large-patch16-384
      microsoft/beit-large-patch16-512`,
  },
  {
    family: 'Data2Vec',
    licence: 'apache-2.0',
    source: OWN_PAGE,
    models: `
      facebook/data2vec-vision-base-ft1k
      facebook/data2vec-vision-large-ft1k 1.23GB`,
  },
  {
    family: 'MAE',
    licence: 'apache-2.0',
    source: OWN_PAGE,
    models: `
      facebook/vit-mae-base 0.1B
      facebook/vit-mae-large 1.32GB
      facebook/vit-mae-huge 2.63GB`,
  },
  {
    family: 'I-JEPA',
    licence: 'cc-by-nc-4.0',
    source: OWN_PAGE,
    models: `
      facebook/ijepa_vith14_1k 2.52GB
      facebook/ijepa_vith14_22k
      facebook/ijepa_vith16_1k 2.53GB
      facebook/ijepa_vitg16_22k`,
  },
  {
    family: 'Perception Encoder',
    licence: 'apache-2.0',
    source:
      'https://github.com/facebookresearch/perception_models, apps/pe/README.md; models/eva.py of timm 1.0.31; pages at Hugging Face that link to these',
    models: `
      facebook/PE-Core-T16-384
      facebook/PE-Core-S16-384
      facebook/PE-Core-B16-224
      facebook/PE-Core-L14-336
      facebook/PE-Core-G14-448
      facebook/PE-Lang-L14-448
      facebook/PE-Lang-L14-448-Tiling
      facebook/PE-Lang-G14-448
      facebook/PE-Lang-G14-448-Tiling
      facebook/PE-Spatial-T16-512
      facebook/PE-Spatial-S16-512
      facebook/PE-Spatial-B16-512
      facebook/PE-Spatial-L14-448
      facebook/PE-Spatial-G14-448`,
  },
  {
    family: 'AIMv2',
    licence: 'apple-amlr',
    source: `${OWN_PAGE}; models/aimv2 of transformers 5.24`,
    models: `
      apple/aimv2-1B-patch14-224 4.94GB`,
  },
  {
    family: 'TIPSv2',
    licence: 'apache-2.0',
    source: `the card of ${HUB}/google/tipsv2-g14, with the parameters of both towers; https://docs.voxel51.com/model_zoo; models/tipsv2 of transformers 5.24`,
    models: `
      google/tipsv2-b14 196M
      google/tipsv2-l14 487M
      google/tipsv2-g14 1.5B`,
  },
  {
    family: 'C-RADIO',
    licence: 'nvidia-open-model-license',
    source: `${OWN_PAGE}; models/radio of transformers 5.24`,
    models: `
      nvidia/C-RADIOv4-H 653M`,
  },
  {
    family: 'MetaCLIP',
    licence: 'cc-by-nc-4.0',
    source: OWN_PAGE,
    models: `
      facebook/metaclip-b32-400m 605MB
      facebook/metaclip-b32-fullcc2.5b 605MB
      facebook/metaclip-l14-fullcc2.5b 1.71GB
      facebook/metaclip-h14-fullcc2.5b`,
  },
  {
    family: 'CLIP',
    licence: null,
    source: 'models/clip of transformers 5.24; pages of copies at Hugging Face, which name no licence',
    models: `
      openai/clip-vit-base-patch16
      openai/clip-vit-base-patch32
      openai/clip-vit-large-patch14 1.71GB
      openai/clip-vit-large-patch14-336`,
  },
  {
    family: 'CLIP (LAION)',
    licence: 'mit',
    source: `src/open_clip/pretrained.py of open_clip; ${HUB}/laion`,
    models: `
      laion/CLIP-ViT-B-16-DataComp.L-s1B-b8K
      laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K
      laion/CLIP-ViT-B-16-laion2B-s34B-b88K
      laion/CLIP-ViT-B-32-256x256-DataComp-s34B-b86K
      laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K
      laion/CLIP-ViT-B-32-laion2B-s34B-b79K
      laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K
      laion/CLIP-ViT-L-14-laion2B-s32B-b82K
      laion/CLIP-ViT-H-14-laion2B-s32B-b79K
      laion/CLIP-ViT-g-14-laion2B-s12B-b42K
      laion/CLIP-ViT-g-14-laion2B-s34B-b88K
      laion/CLIP-ViT-bigG-14-laion2B-39B-b160k`,
  },
  {
    family: 'CLIP (DFN)',
    licence: 'apple-amlr',
    source: `${HUB}/collections/apple/dfn-models-data`,
    models: `
      apple/DFN2B-CLIP-ViT-B-16
      apple/DFN2B-CLIP-ViT-L-14
      apple/DFN2B-CLIP-ViT-L-14-39B
      apple/DFN5B-CLIP-ViT-H-14
      apple/DFN5B-CLIP-ViT-H-14-378`,
  },
  {
    family: 'SigLIP',
    licence: 'apache-2.0',
    source: `pages of the repositories at Hugging Face; ${HUB}/deepghs/siglip_onnx`,
    models: `
      google/siglip-base-patch16-224
      google/siglip-base-patch16-256
      google/siglip-base-patch16-256-multilingual
      google/siglip-base-patch16-384
      google/siglip-base-patch16-512
      google/siglip-large-patch16-256
      google/siglip-large-patch16-384
      google/siglip-so400m-patch14-224 3.51GB
      google/siglip-so400m-patch14-384`,
  },
  {
    family: 'SigLIP 2',
    licence: 'apache-2.0',
    source: `${HUB}/google/models?p=6; pages of the repositories`,
    models: `
      google/siglip2-base-patch16-224
      google/siglip2-base-patch16-256
      google/siglip2-base-patch16-384 0.4B
      google/siglip2-base-patch16-512 0.4B
      google/siglip2-base-patch16-naflex 0.4B
      google/siglip2-base-patch32-256
      google/siglip2-large-patch16-256 0.9B
      google/siglip2-large-patch16-384 0.9B
      google/siglip2-large-patch16-512 0.9B
      google/siglip2-so400m-patch14-224 1B
      google/siglip2-so400m-patch14-384 1B
      google/siglip2-so400m-patch16-256 1B
      google/siglip2-so400m-patch16-384 1B
      google/siglip2-so400m-patch16-512 1B
      google/siglip2-so400m-patch16-naflex 1B
      google/siglip2-giant-opt-patch16-256 2B
      google/siglip2-giant-opt-patch16-384 2B`,
  },
]

const UNITS: Readonly<Record<string, Pick<PublishedModel, 'parameters' | 'megabytes'>>> = {
  M: { parameters: 1, megabytes: null },
  B: { parameters: 1000, megabytes: null },
  MB: { parameters: null, megabytes: 1 },
  GB: { parameters: null, megabytes: 1000 },
}

export const HUGGING_FACE_MODELS: ReadonlyMap<string, PublishedModel> = new Map(
  FAMILIES.flatMap(({ models, gated = false, ...facts }) =>
    models
      .trim()
      .split('\n')
      .map((line): [string, PublishedModel] => {
        const [name = '', size = ''] = line.trim().split(' ')
        return [name, { ...facts, gated, ...sizeOf(size) }]
      }),
  ),
)

function sizeOf(text: string): Pick<PublishedModel, 'parameters' | 'megabytes'> {
  const [, number = '', unit = ''] = /^([\d.]+)([MB]|MB|GB)$/.exec(text) ?? []
  const { parameters = null, megabytes = null } = UNITS[unit] ?? {}
  const times = (factor: number | null) =>
    factor === null ? null : Math.round(Number(number) * factor * 10) / 10
  return { parameters: times(parameters), megabytes: times(megabytes) }
}
