/** Matches the patches of two pictures as Birder does, and compares features, similarities, and every number of each setting. */
import { classificationTransform } from '../birder/classification-transform.js'
import { type FeatureMatch, type FeatureMatchingResult, featureMatching } from '../birder/feature-matching.js'
import { patchRows, stageOf } from '../birder/introspection/feature-pca.js'
import { BirderNet } from '../birder/net.js'
import { Network } from '../encoder/network.js'
import { unitRows } from '../numerics/lengths.js'
import { plainProducts } from '../numerics/products.js'
import {
  type Comparison,
  type GoldenCase,
  type GoldenContext,
  type GoldenFile,
  readExpected,
  required,
} from './case.js'
import { isNarrow, judgeTogether } from './judge.js'
import { openCase } from './open-case.js'

interface MatchingCase extends GoldenCase {
  readonly images?: readonly GoldenFile[]
  readonly network_parameters?: GoldenCase['network_parameters'] & {
    readonly center_crop?: number
    readonly simple_crop?: boolean
    readonly settings?: Readonly<
      Record<string, readonly [threshold: number, margin: number, limit: number | null]>
    >
  }
}

export async function* runMatchingCase(
  golden: MatchingCase,
  context: GoldenContext,
): AsyncGenerator<Comparison, void, undefined> {
  const { engine } = context
  const expected = await readExpected(golden, context.open)
  await using model = await openCase(golden, context)
  using net = new BirderNet(await Network.load(model.vit, engine))
  const {
    center_crop: centerCrop = 1,
    simple_crop: simpleCrop = false,
    settings,
  } = required(golden.network_parameters, 'network_parameters', golden)
  const transform = classificationTransform(net.size, model.vit.config.rgbStats, { centerCrop, simpleCrop })
  const files = required(golden.images, 'images', golden)
  const [first, second] = await Promise.all(
    [0, 1].map((at) => context.decode(required(files[at], 'image', golden).path, { orientation: 'ignore' })),
  )
  const images = [required(first, 'image', golden), required(second, 'image', golden)] as const
  const found = new Map<string, Float32Array>()
  const units: Float32Array[] = []
  for (const [at, image] of images.entries()) {
    const input = transform(image).unsqueeze(0)
    const features = stageOf(await net.detectionFeatures(input))
    found.set(`input${at + 1}`, input.data)
    found.set(`features${at + 1}`, features.data)
    units.push(unitRows(patchRows(features, false), features.shape[1] ?? 0))
  }
  const [one = new Float32Array(), other = new Float32Array()] = units
  found.set('similarity', await plainProducts.similarity(one, other, model.vit.config.width))
  for (const [name, [threshold, margin, limit]] of Object.entries(required(settings, 'settings', golden))) {
    const matched = await featureMatching(net, ...images, transform, {
      threshold,
      margin,
      ...(limit === null ? {} : { limit }),
    })
    for (const [part, values] of partsOf(matched)) found.set(`${name}.${part}`, Float32Array.from(values))
  }
  for (const tensor of new Set([...expected.keys(), ...found.keys()])) {
    // Which patches match is a choice, of which a narrow precision promises nothing.
    if (isNarrow(engine.precision) && !/^(features[12]|similarity)$/.test(tensor)) continue
    yield judgeTogether(engine.precision, golden, tensor, found.get(tensor), expected.get(tensor), false)
  }
}

/** The golden leaves out what there is none of. */
function partsOf({
  matches,
  thresholdSimilarity,
}: FeatureMatchingResult): readonly (readonly [string, readonly number[]])[] {
  const parts: (readonly [string, readonly number[]])[] = [['count', [matches.length]]]
  if (thresholdSimilarity !== null) parts.push(['closest', [thresholdSimilarity]])
  if (matches.length === 0) return parts
  const each = (of: (match: FeatureMatch) => readonly number[]) => matches.flatMap(of)
  return [
    ...parts,
    ['scores', each(({ score }) => [score])],
    ['index1', each(({ patch1 }) => [patch1.index])],
    ['index2', each(({ patch2 }) => [patch2.index])],
    ['boxes1', each(({ patch1 }) => patch1.box)],
    ['boxes2', each(({ patch2 }) => patch2.box)],
    ['centers1', each(({ patch1 }) => patch1.center)],
    ['centers2', each(({ patch2 }) => patch2.center)],
  ]
}
