/** docs/convert.md says what the tables of the writers say: it is written anew by `npx vitest run test/convert/docs.test.ts --update`. */
import { expect, test } from 'vitest'
import { chooseWriter, WRITERS } from '../../src/convert/choose-writer.js'
import { FILE_FORMS } from '../../src/convert/file-forms.js'
import { PART_NAMES, type Part, textOf } from '../../src/convert/holdings.js'
import { withWhatValuesTell } from '../../src/convert/told-by-values.js'
import { LIBRARY_NAMES, type Writer } from '../../src/convert/writer.js'
import { openVit } from '../../src/platform/node/open-vit.js'
import { goldenNetworks } from '../support/golden-networks.js'

const INTRO = `# Converting between layouts

\`plumage convert <model> <out> --to <library>\`, and \`convertModel\` in a program, write any model that is read here as another library has it: its names, its shapes, and the files that stand beside the weights. What a layout does not hold is refused by name before anything is written, with the libraries that hold it. A model that is in the library's own layout already keeps every tensor and every file, whatever network it is, so that type, format and shards can be changed.

Before anything is written, what would be written is read by the library's own reader here, and must be the same network. Afterwards the files are read back: the digest of all weights must be that of the source, and only then is the conversion called lossless and the output given its name. With \`--dtype\` each value is rounded to the nearest, ties to even, and each weight must read back as near as that; a value beyond 65504 is refused for \`f16\` by the name of its tensor. Nothing that is there is ever replaced, and one tensor is in memory at a time.

What files cannot say is printed: another rule for positions at other sizes, another way to prepare images, heads, sizes and levels that no file of Meta's holds, the network that only the name of a file of Birder's told, what stands for an image there by default, and which tensors are left aside, such as a text tower (of SigLIP and the Perception Encoder the image tower alone is written, and of CLIP too, but between open_clip's own CLIP and transformers', where the text tower comes along both ways) or a mask token. Where two layouts keep positions of the class token apart, these stay apart, so that the files have the very bytes of the library's own; a layout that adds them to the token cannot give them back, and the network is the same.

Some things are told in other words, and said so. Keys that have no bias have none where a layout has no place for one (DINOv3, BEiT), and Meta's DINOv3 takes it away with a mask; a layout that cannot do without a bias gets zeros. Meta's DINOv3 stores the periods of its rotary positions: they are made of the base, and told by it where they follow from one. Files that Meta publishes keep them rounded to bfloat16, which no base gives, so that these are refused for other libraries, whose own files make them anew; periods stay float32 whatever the type of the weights. The projection of CLIP and of the Perception Encoder is the head of timm's networks, with a bias of zeros, and back; and what transformers norms of CLIP is the class token alone. A classifier of the class token is, in transformers' DINOv2, one of class token and mean patch with zeros for the mean. A distilled DeiT has its two tokens and its two heads in every library; what stands for an image is both tokens in Birder, their mean in timm, and the class token in transformers. The table of Birder's Simple_ViT, made anew for each size there, is a learnt one elsewhere. C-RADIO of transformers, whose table has a larger grid than its images, is timm's NaFlexVit, where the first class token stands for an image; what is written of timm's for transformers has that token alone for its summary, its images are normalised by the processor, and the network's own levels change nothing (a mean of 0, a deviation of 1). A FlexiViT is written as the plain network that it is at its own patch.

`

const FORMS = `## Files

| library | format, where none is asked for | in a folder | alone | in shards |
|---|---|---|---|---|
${LIBRARY_NAMES.map((name) => {
  const { usual, names, standsAlone, isSharded } = FILE_FORMS[name]
  return `| ${name} | ${usual} | \`${names.safetensors}\` or \`${names.pt}\` | ${standsAlone ? 'yes' : 'no'} | ${isSharded ? 'safetensors' : 'no'} |\n`
}).join('')}
`

const INT8 = `## Matrices in bytes

\`plumage convert <model> <out> --int8\`, and \`int8: true\` in a program, write another network, which only this package reads: each matrix that an engine in \`int8\` multiplies lies in bytes with a scale for each of its rows, as such an engine rounds it, and all else (patch embedding, norms, biases, tokens, positions, what a single row passes such as a classifier) is as it was. An engine in \`int8\` computes the very numbers with it that it computes with its origin, bit by bit, on every path of \`native\` and in \`wasm\`; every other engine and precision computes with what the bytes stand for, which is scale times byte, and comes as near to the origin as \`int8\` promises.

It loads quickest in \`int8\`, whose engine packs the bytes as they lie in the file: ViT-L/14 in a third of the time and memory that its float32 takes ([bench/README.md](../bench/README.md)). Unlike packed weights (\`plumage pack\`), the file is bound to no machine and no version of the code.

The file is one of safetensors, alone (\`.safetensors\`) or in a folder, and says all by itself: the layout is that of the model or of the library that \`--to\` names, and what its library keeps beside weights (config, preprocessing, labels) and what had to be told of the model (\`--network\`, \`--heads\`, ...) lie within, with the name of the origin and the digest of its weights. Card and licence come along, in a folder as files. A matrix \`x\` is \`x.int8\` (I8, [..., depth]) and \`x.int8_scale\` (F32, [...]), so that no other library takes bytes for weights of its own. Its identity is its own, since its weights are others, and names the origin (\`plumage info\`, and \`origin\` of every identity).

A row whose largest value leaves nine tenths of its others nothing would be lost in bytes: its matrix stays as it is. So does one that a layout does not keep row by row, and a text tower beside the network. A network of which bytes hold nothing is refused, and so is \`--int8\` with \`--dtype\`, \`--format pt\` or \`--max-shard-size\`. From a file in bytes no other is made by chance, since its origin would give a better one: it is refused with the origin's name, unless \`--dtype\` says in which type its own numbers are to be written. As \`f32\` these are all kept, and so is its identity, less the origin.

`

const PARTS = Object.keys(PART_NAMES) as Part[]

/** Long lists say more by what they leave out, and a refusal names that. */
function inWords({ holds }: Writer, part: Part): string {
  const held = holds[part]
  const name = PART_NAMES[part]
  if (held === undefined || typeof held === 'function') return `${name}: some`
  if (held === 'any') return `${name}: any`
  return held.length > 4 ? `${name}: ${held.length} kinds` : `${name}: ${held.map(textOf).join(' or ')}`
}

const HELD = `## What each class holds

A library's first class that holds a network is written. Of what no row names a class has what a plain vision transformer has (a class token, layer norms with an epsilon of 1e-6, one in front of each branch and one behind the blocks, biases, GELU, a learnt table of positions). *Some* depends on other parts, and a refusal says how.

| library | class | what it holds |
|---|---|---|
${WRITERS.map(
  (writer) =>
    `| ${writer.library} | ${writer.class} | ${PARTS.filter((part) => writer.holds[part] !== undefined)
      .map((part) => inWords(writer, part))
      .join('; ')} |\n`,
).join('')}
`

/** Says for the networks of a family which classes hold them in each library. */
async function matrix(): Promise<string> {
  const rows = new Map<string, Map<string, Set<string>>>()
  for (const { path, told, family, library } of goldenNetworks()) {
    await using open = await openVit(path, told)
    const { vit, checkpoint } = open
    const source = { vit, checkpoint, config: await withWhatValuesTell(vit) }
    const row = rows.get(`${family} | ${library ?? vit.dialect}`) ?? new Map<string, Set<string>>()
    rows.set(`${family} | ${library ?? vit.dialect}`, row)
    for (const to of LIBRARY_NAMES) {
      const cell = row.get(to) ?? new Set<string>()
      row.set(to, cell)
      cell.add(to === library ? 'as it is' : (chooseWriter(source, to)?.writer.class ?? ''))
    }
  }
  const cellOf = (cell: ReadonlySet<string> | undefined) => {
    const held = [...(cell ?? [])].filter(Boolean)
    return `${held.join(', ')}${held.length > 0 && cell?.has('') ? ' (some)' : ''}`
  }
  const lines = [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, row]) => `| ${name} | ${LIBRARY_NAMES.map((to) => cellOf(row.get(to))).join(' | ')} |\n`)
  return `## What becomes what

Of the networks that the tests have of each family, the classes that hold them; *some* marks families of which others are refused, by what the library does not hold.

| family | written by | ${LIBRARY_NAMES.join(' | ')} |
|---|---|${LIBRARY_NAMES.map(() => '---|').join('')}
${lines.join('')}`
}

test('docs/convert.md says what the tables say', async () => {
  await expect(`${INTRO}${FORMS}${INT8}${HELD}${await matrix()}`).toMatchFileSnapshot('../../docs/convert.md')
})
