/** Birder's `infer_image` from file to result, with small networks. */
import { join } from 'node:path'
import { classificationTransform, type TransformOptions } from '../../../birder/classification-transform.js'
import { type InferOptions, inferImage } from '../../../birder/infer-image.js'
import { BirderNet } from '../../../birder/net.js'
import { Network } from '../../../encoder/network.js'
import { type Comparison, type GoldenCase, isWhole, readTensors } from '../../../verify/case.js'
import { judge } from '../../../verify/judge.js'
import { decodeImage } from '../decode-image.js'
import { openFile } from '../open-file.js'
import { openVit } from '../open-vit.js'
import type { FolderContext } from './folder-context.js'

/** Birder's arguments, in its own spelling. */
interface Options {
  readonly infer?: {
    readonly return_embedding?: boolean
    readonly return_logits?: boolean
    readonly tta?: boolean
  }
  readonly transform?: { readonly center_crop?: number; readonly simple_crop?: boolean }
}

export async function* runEndToEndCase(
  golden: GoldenCase,
  { root, engine, signal }: FolderContext,
): AsyncGenerator<Comparison, void, undefined> {
  const { infer = {}, transform = {} } = golden.options as Options
  const image = await decodeImage(join(root, (golden.image as { path: string }).path), {
    orientation: 'ignore',
  })
  const expected = await readTensors(await openFile(join(root, golden.expected?.path ?? '')))
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
  for (const { path } of golden.checkpoints ?? []) {
    if (!isWhole(path)) continue
    await using open = await openVit(join(root, path), { network: golden.network ?? '' })
    using net = new BirderNet(await Network.load(open.vit, engine))
    const toPixels = classificationTransform(net.size, open.vit.config.rgbStats, transformOptions)
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
