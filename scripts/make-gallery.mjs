/**
 * Makes docs/gallery.md and its pictures: each by the command that stands below it there, run as it stands.
 *
 *     node scripts/make-gallery.mjs [name of a picture ...]
 *
 * It needs a build. Names are those of files in docs/gallery without their ending; without any, all pictures are made anew.
 */
import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = join(import.meta.dirname, '..')
const program = join(root, 'dist', 'bundle', 'node', 'cli.js')
const photo = (name) => `examples/photos/${name}.jpg`

/** Lists the pictures as the page shows them: under headings, each with the command but for its output, what is seen, and what it says to who sees nothing. */
export const SECTIONS = [
  {
    heading: 'Patches as colours',
    pictures: [
      {
        name: 'pca',
        command: `pca ${photo('hat-2')} --side 320`,
        alt: 'A woollen hat, and its patches: the knitting blue, the pompom dark, the brim green, the sheet pink.',
        says: 'The three strongest differences among the patches of a photo as red, green and blue (Oquab et al., DINOv2, 2023). Nobody told the model what a pompom or a brim is. Below a picture stands what made it; `--no-caption` leaves that out, as most pictures here do.',
      },
      {
        name: 'pca-kinds',
        command: `pca examples/photos --side 160 --no-caption`,
        alt: 'Twelve photos, each beside its colours: hats blue and purple, trousers light green, shoes dark green, shirts red.',
        says: 'The same colours for all photos: here the strongest differences are those between kinds of things. That a whole photo takes the colour of its kind, the floor with it, is what this small model does in its last block, since it was tuned to name one thing in a picture; in DINOv2, parts keep colours of their own. For parts, take one photo, or an earlier block as below.',
      },
      {
        name: 'pca-foreground',
        command: `pca ${photo('hat-1')} --foreground --side 320 --no-caption`,
        alt: 'A leather cap, and its patches in colours: the seams pink, the panels violet, the edge green; the sheet is dimmed.',
        says: 'The background is cut off before colours are fitted (the first component, by the threshold of Otsu, 1979), so that all of them go to the thing: its seams, panels and edge.',
      },
      {
        name: 'pca-dinov3',
        command: `pca ${photo('t-shirt-1')} --method dinov3 --side 320 --no-caption`,
        alt: 'A striped shirt, and its patches in colours: sleeves blue, chest pink, hem yellow and green; the blanket is dimmed.',
        says: 'The colours as DINOv3 shows them (Siméoni et al., 2025): whitened components through a sigmoid. Stripes disappear; sleeves, chest and hem are told apart.',
      },
      {
        name: 'pca-birder',
        command: `pca ${photo('shoes-1')} --method birder --side 320 --no-caption`,
        alt: 'Two sandals, and their patches: the sandals yellow, the holes in them blue, the floor orange.',
        says: "The colours of Birder's FeaturePCA. The holes of the straps are told from the soles; single patches of the floor stand out for no reason that can be seen.",
      },
      {
        name: 'pca-over',
        command: `pca ${photo('pants-1')} --layout over --side 400 --no-caption`,
        alt: 'Trousers on a wooden floor with the colours of their patches over them: trousers pink, floor dark.',
        says: 'Colours over the photo instead of beside it. `--opacity` says how much of them.',
      },
    ],
  },
  {
    heading: 'How to choose',
    pictures: [
      {
        name: 'click-one',
        command: `pca ${photo('t-shirt-3')} --foreground 50%,50% --side 320 --no-caption`,
        alt: 'A grey shirt on red cloth: only its body is coloured, and the sleeves are dimmed with the cloth.',
        says: 'A point says what is a thing, where the first component would not. One in the middle of this shirt is too little: the sleeves are lost.',
      },
      {
        name: 'click-three',
        command: `pca ${photo('t-shirt-3')} --foreground 50%,50% --foreground 18%,36% --foreground 83%,36% --side 320 --no-caption`,
        alt: 'The same shirt, coloured with its sleeves.',
        says: 'A point on each sleeve as well brings them back, and takes holes in the body with it, where this model sees least of a shirt.',
      },
      {
        name: 'blocks-early',
        command: `compare ${photo('hat-2')} --layers 2,8 --side 300 --no-caption`,
        alt: 'The woollen hat, and its patches by block 2, where the hat is blue, the shadow green and the sheet pink, and by block 8, with pompom, body and brim in three colours.',
        says: 'Two blocks of one model beside each other. An early one (2) sees light and texture, so that the hat is one mottled thing and the shadow as strong as it; a later one (8) tells pompom, body and brim. The colours of the two sides are fitted apart and do not compare.',
      },
      {
        name: 'blocks-late',
        command: `compare ${photo('shoes-2')} --layers 5,-1 --side 300 --no-caption`,
        alt: 'Two shoes, and their patches by block 5, where toe, laces and shaft differ, and by the last, where the shoes are green all over.',
        says: 'In the middle (5), toe, laces and shaft are different things; at the end (11) both shoes are shoe. With the model that ships, take a block around the middle for parts and the last for things.',
      },
    ],
  },
  {
    heading: 'Attention',
    pictures: [
      {
        name: 'heads',
        command: `attention ${photo('hat-3')} --show each --side 240 --no-caption`,
        alt: 'A checked cap, and six maps, one for each head: some see its crown, some its edge, one only the sheet around it.',
        says: 'What the class token looks at in the last block, by each head (Caron et al., DINO, 2021). Most heads lie on the crown or on the edge; head 3 looks at everything but the cap, which is why a mean over heads says less than the heads do.',
      },
      {
        name: 'attention',
        command: `attention ${photo('hat-1')} --show max --side 320 --no-caption`,
        alt: 'The leather cap, and a map with a bright vertical seam.',
        says: 'The largest of all heads. The seam that faces the camera is what tells this cap. A weight is no proof of a cause: what is looked at need not decide.',
      },
      {
        name: 'attention-point',
        command: `attention ${photo('shoes-2')} --point 30%,70% --side 320 --no-caption`,
        alt: 'Two shoes with a ring on the toe of the left one, and a map that is bright on the toes of both.',
        says: 'What one patch looks at, instead of the class token: from the toe of one shoe to that of the other.',
      },
      {
        name: 'rollout',
        command: `rollout ${photo('hat-1')} --fuse min --discard 0 --side 320 --no-caption`,
        alt: 'The leather cap, and a map that is bright along its seams.',
        says: 'Attention followed through all blocks (Abnar and Zuidema, 2020), by the least of the heads and without leaving weights out. With the defaults (`--fuse max --discard 0.9`) this model gives scattered patches that show nothing: try both.',
      },
    ],
  },
  {
    heading: 'What is alike',
    pictures: [
      {
        name: 'similar-point',
        command: `similar ${photo('hat-2')} --point 50%,20% --side 320 --no-caption`,
        alt: 'The woollen hat with a ring on its pompom, and a map that is bright on the whole hat and dark on the sheet.',
        says: 'Where the photo looks like a point of it (cosine similarity). From the pompom the whole hat is found and the sheet is not. Similarities of this model lie high: compare places, not values.',
      },
      {
        name: 'similar-box',
        command: `similar ${photo('t-shirt-3')} --box 20%,20%,40%,40% --map magma --side 320 --no-caption`,
        alt: 'The grey shirt with a box on its shoulder, and a map that is bright on the shirt and darkest along its edge.',
        says: 'Where it looks like a box, in other colours. The scale begins at 0.78: the red cloth is still very similar, since the last block says of every patch that a shirt is there.',
      },
      {
        name: 'match',
        command: `match ${photo('shoes-2')} ${photo('shoes-3')} --limit 30 --side 400 --no-caption`,
        alt: 'Two pairs of boots with lines between them: from shaft to shaft and from toe to toe.',
        says: "Patches of two photos that are each other's most similar, the thirty best. Shafts find shafts and toes toes; left and right are not always told apart.",
      },
      {
        name: 'match-agree',
        command: `match ${photo('t-shirt-2')} ${photo('t-shirt-3')} --limit 40 --agree affine --side 400 --no-caption`,
        alt: 'Two shirts with lines between them; those from sleeve to sleeve and hem to hem are yellow, the others grey.',
        says: 'Pairs that agree with one affine map of the plane are yellow (RANSAC; Fischler and Bolles, 1981), the others grey. Two different shirts are no plane: this tells rough agreement from chance, not right from wrong.',
      },
    ],
  },
  {
    heading: 'Things without labels',
    pictures: [
      {
        name: 'objects',
        command: `objects ${photo('hat-2')} ${photo('shoes-3')} ${photo('pants-2')} ${photo('t-shirt-2')} --side 240 --no-caption`,
        alt: 'A hat, boots, trousers and a shirt, each with a box around it and its surroundings dimmed.',
        says: 'What stands out of each photo (TokenCut; Wang et al., 2022), with its box. One thing for each photo, in steps of a patch; [bench/README.md](../bench/README.md) counts how often it is right.',
      },
      {
        name: 'clusters',
        command: `clusters ${photo('hat-2')} --count 4 --side 320 --no-caption`,
        alt: 'The woollen hat in four colours: the hat, its lower edge with the shadow, the sheet, and what lies above.',
        says: 'Groups of patches (spherical k-means; Dhillon and Modha, 2001). How many there are is for you to say; here the shadow is taken together with the brim.',
      },
      {
        name: 'clusters-shared',
        command: `clusters ${photo('shoes-2')} ${photo('pants-2')} ${photo('t-shirt-3')} ${photo('hat-2')} --side 240 --no-caption`,
        alt: 'Shoes in one colour, trousers in another than their floor, a shirt in one colour, and a hat in another than its sheet.',
        says: 'Six groups over four photos. Trousers and hat are told from their floors; shoes and shirt are not, since their whole photo is nearer to itself than to anything else.',
      },
      {
        name: 'norms',
        command: `norms ${photo('hat-2')} --side 320 --no-caption`,
        alt: 'The woollen hat, and a map of lengths that is even on the hat and higher on the sheet.',
        says: 'How long each token is. Models without registers have a few patches of far greater length in empty places (Darcet et al., 2023); this model has four registers, and no patch stands out.',
      },
    ],
  },
]

export const PICTURES = SECTIONS.flatMap(({ pictures }) => pictures)

/** Gives what follows `plumage` on the command line of a picture. */
export function commandOf({ name, command }) {
  return `picture ${command} -m small -o docs/gallery/${name}.webp`
}

const INTRO = `# Gallery

Every picture here was made by the command below it, in a clone after \`npm run build\`; \`node scripts/make-gallery.mjs\` runs all of them and writes this page. [pictures.md](pictures.md) says what the commands and their functions do.

All were made with the model that ships with the package, \`vit_reg4_s14_nps_ls_tiny-imagenet\` (\`small\`): a ViT-S/14 with registers, tuned on small pictures of 200 kinds of things. It is no match for DINOv2, of which these methods are known: its patches tell things from their background in many photos, parts in some, and its last block often gives one answer for a whole photo ([its card](../models/small/MODEL_CARD.md)). Without \`-m small\` they take the best model for pictures that is on your machine; this fetches a better one:

    npx plumage pull facebook/dinov2-with-registers-small

The photos are of the test part of [clothing-dataset-small](https://github.com/alexeygrigorev/clothing-dataset-small) (CC0; [examples/photos/README.md](../examples/photos/README.md)), so that there is nothing here but clothes.
`

const END = `
## And a page of all of it

    npx plumage report examples/photos -o report.html

writes one file that opens from the disk: photos, colours, neighbours and groups, where a click on a patch shows what is like it in all photos.
`

/** @returns {string} docs/gallery.md */
export function galleryText() {
  const sections = SECTIONS.map(
    ({ heading, pictures }) => `\n## ${heading}\n${pictures.map(pictureText).join('')}`,
  )
  return INTRO + sections.join('') + END
}

function pictureText(picture) {
  const { name, alt, says } = picture
  return `\n![${alt}](gallery/${name}.webp)\n\n    npx plumage ${commandOf(picture)}\n\n${says}\n`
}

async function makeAll(names) {
  const unknown = names.filter((name) => !PICTURES.some((picture) => picture.name === name))
  if (unknown.length > 0)
    throw new Error(
      `There is no picture ${unknown.join(', ')}. There are: ${PICTURES.map(({ name }) => name).join(', ')}.`,
    )
  const chosen = PICTURES.filter(({ name }) => names.length === 0 || names.includes(name))
  await mkdir(join(root, 'docs', 'gallery'), { recursive: true })
  const begun = performance.now()
  for (const picture of chosen) await run(commandOf(picture))
  await writeFile(join(root, 'docs', 'gallery.md'), galleryText())
  console.log(
    `${chosen.length} pictures in ${((performance.now() - begun) / 1000).toFixed(0)} s, and docs/gallery.md.`,
  )
}

/** Runs a command as a shell would, since none of its words has a space or a quote. */
async function run(command) {
  console.log(`plumage ${command}`)
  const child = spawn(process.execPath, [program, ...command.split(' ')], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('exit', resolve))
  if (code !== 0) throw new Error(`plumage ${command} ended with ${code}.`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await makeAll(process.argv.slice(2))
