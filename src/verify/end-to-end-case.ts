/** Follows Birder's `infer_image` from file to result, with small networks. */
import { classificationTransform, type TransformOptions } from '../birder/classification-transform.js'
import { type InferOptions, inferImage } from '../birder/infer-image.js'
import { BirderNet } from '../birder/net.js'
import { Network } from '../encoder/network.js'
import {
  type Comparison,
  checkpointPaths,
  type GoldenCase,
  type GoldenContext,
  type GoldenFile,
  readExpected,
  required,
} from './case.js'
import { judge } from './judge.js'

interface EndToEndCase extends GoldenCase {
  readonly image?: GoldenFile
  /** Holds Birder's arguments, in its own spelling. */
  readonly options?: {
    readonly infer?: {
      readonly return_embedding?: boolean
      readonly return_logits?: boolean
      readonly tta?: boolean
    }
    readonly transform?: { readonly center_crop?: number; readonly simple_crop?: boolean }
  }
}

export async function* runEndToEndCase(
  golden: EndToEndCase,
  { open, openModel, decode, engine, signal }: GoldenContext,
): AsyncGenerator<Comparison, void, undefined> {
  const { infer = {}, transform = {} } = required(golden.options, 'options', golden)
  const network = required(golden.network, 'network', golden)
  const image = await decode(required(golden.image, 'image', golden).path, { orientation: 'ignore' })
  const expected = await readExpected(golden, open)
  const inferOptions: InferOptions = {
    returnEmbedding: infer.return_embedding ?? false,
    returnLogits: infer.return_logits ?? false,
    tta: infer.tta ?? false,
    ...(signal === undefined ? {} : { signal }),
  }
  const transformOptions: TransformOptions = {
    centerCrop: transform.center_crop ?? 1,
    simpleCrop: transform.simple_crop ?? false,
  }
  for (const path of checkpointPaths(golden)) {
    await using model = await openModel(path, { network })
    using net = new BirderNet(await Network.load(model.vit, engine))
    const toPixels = classificationTransform(net.size, model.vit.config.rgbStats, transformOptions)
    const [out, embedding] = await inferImage(net, image, toPixels, inferOptions)
    const results = new Map([
      ['out', out.data],
      ...(expected.has('embedding') ? [['embedding', embedding?.data] as const] : []),
    ])
    for (const [tensor, values] of results) {
      const note = path.split('.').at(-1)
      const comparison = judge(engine.precision, golden, tensor, values, expected.get(tensor), note)
      if (comparison !== null) yield comparison
    }
  }
}
