/**
 * An option that is mistyped does nothing, and nobody would know: each public call that takes options refuses it and names the nearest one. The
 * calls are found in the sources of the doors, so that a new one without its line here fails.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as page from '../../src/platform/browser/index.js'
import * as birder from '../../src/platform/node/birder.js'
import * as plumage from '../../src/platform/node/index.js'
import { aboutFor } from '../collection/made-collection.js'
import { MINI } from '../support/mini.js'

const root = join(import.meta.dirname, '../..')
const script = new URL('../../scripts/check-docs.mjs', import.meta.url).href
const { DOORS, Modules, callsWithOptions } = (await import(script)) as {
  DOORS: Readonly<Record<string, string>>
  Modules: new (root: string) => object
  callsWithOptions(modules: object, door: string | undefined): readonly string[]
}
const modules = new Modules(root)

/** Is as wrong as what a person types in plain JavaScript, where no compiler objects. */
const wrong = (option: string): never => ({ [option]: 1 }) as never
const stats = { mean: [0, 0, 0], std: [1, 1, 1] } as const
const none = new Float32Array()
const pixels = birder.ndArray(none, [0])

let network: plumage.Network
let net: birder.BirderNet
let collection: plumage.Collection
let encoder: plumage.Encoder<plumage.ImageSource>

beforeAll(async () => {
  const engine = plumage.createReferenceEngine()
  await using open = await plumage.openVit(MINI)
  network = await plumage.Network.load(open.vit, engine)
  net = new birder.BirderNet(network, engine)
  collection = await plumage.Collection.open({ store: plumage.createMemoryStore(aboutFor(4)) })
  encoder = await plumage.loadEncoder(MINI, { engine: 'reference', size: 28 })
})

afterAll(async () => {
  await net[Symbol.asyncDispose]()
  await encoder[Symbol.asyncDispose]()
})

function makeProgram(): plumage.Program {
  const grid = { rows: 2, columns: 2 }
  return network.programFor(grid, [network.planFor(grid).slots.embedding])
}

async function loadOn(engine: plumage.Engine): Promise<void> {
  await using owned = engine
  await owned.load(wrong('plan'), wrong('weights'), wrong('signl'))
}

function setOfOne(): plumage.CollectionSet {
  return plumage.CollectionSet.of({ members: [{ name: 'one', collection }] })
}

type Calls = Readonly<Record<string, readonly [meant: string, ...runs: (() => unknown)[]]>>

const UNIVERSAL: Calls = {
  findFlaws: ['limits', () => plumage.findFlaws(wrong('collection'), wrong('limit'))],
  findOutliers: ['neighbours', () => plumage.findOutliers(wrong('collection'), wrong('neighbour'))],
  groupDuplicates: ['different', () => plumage.groupDuplicates([], [], wrong('diferent'))],
  'Collection.open': ['products', () => plumage.Collection.open(wrong('product'))],
  'CollectionSet.of': ['members', () => plumage.CollectionSet.of(wrong('member'))],
  measureNear: ['signal', () => plumage.measureNear(setOfOne(), wrong('signl'))],
  'Collection.scan': ['columns', () => collection.scan(wrong('colums')).next()],
  'Collection.rows': ['columns', () => collection.rows([], wrong('colums'))],
  'Collection.compact': ['rewrite', () => collection.compact(wrong('rewite'))],
  'CollectionStore.compact': ['rewrite', () => collection.store.compact(wrong('rewite'))],
  'Collection.fold': ['signal', () => collection.fold(wrong('signl'))],
  'Collection.vectors': ['signal', () => collection.vectors(wrong('signl'))],
  searchPhotos: ['diverse', () => plumage.searchPhotos(collection, { like: [] }, wrong('divers'))],
  everyPhoto: ['unique', () => plumage.everyPhoto(collection, { like: [] }, wrong('uniqe')).next()],
  searchRegions: [
    'without',
    () => plumage.searchRegions(collection, collection, none, wrong('withot')).next(),
  ],
  'Collection.nearest': ['count', () => collection.nearest(none, wrong('cout'))],
  saveCollection: ['signal', () => plumage.saveCollection(collection, wrong('signl')).next()],
  clusterPhotos: ['count', () => plumage.clusterPhotos(collection, wrong('cout'))],
  mapPhotos: ['rebuild', () => plumage.mapPhotos(collection, wrong('rebild'))],
  drawMap: ['side', async () => plumage.drawMap(wrong('view'), wrong('sid'))],
  'CollectionStore.scan': [
    'columns',
    () => collection.store.scan(wrong('colums'))[Symbol.asyncIterator]().next(),
  ],
  'Collection.prepare': ['signal', () => collection.prepare(wrong('signl'))],
  'CollectionStore.prepare': ['scorer', () => collection.store.prepare(wrong('scorr'))],
  'CollectionStore.nearestByIndex': ['where', () => collection.store.nearestByIndex(none, 1, wrong('were'))],
  'CollectionStore.vectors': ['signal', () => collection.store.vectors(wrong('signl'))],
  giveLabels: ['column', () => plumage.giveLabels(collection, [], wrong('colum'))],
  labelFromFolders: ['column', () => plumage.labelFromFolders(collection, wrong('colum'))],
  labelsOf: ['column', () => plumage.labelsOf(collection, wrong('colum'))],
  trainHead: ['folds', () => plumage.trainHead(collection, wrong('fold'))],
  suggestLabels: ['next', () => plumage.suggestLabels(collection, wrong('nxt'))],
  findMislabelled: ['folds', () => plumage.findMislabelled(collection, wrong('fold'))],
  judgeClasses: ['folds', () => plumage.judgeClasses(wrong('rows'), wrong('fold'))],
  compareEmbeddings: [
    'folds',
    () => plumage.compareEmbeddings(wrong('labels'), wrong('rows'), wrong('rows'), wrong('fold')),
  ],
  readHead: ['signal', () => plumage.readHead(wrong('source'), wrong('signl'))],
  openCheckpoint: ['entry', () => plumage.openCheckpoint(wrong('source'), wrong('entri'))],
  readVit: ['heads', () => plumage.readVit(wrong('checkpoint'), wrong('hed'))],
  recipeFor: ['recipe', () => plumage.recipeFor(wrong('vit'), wrong('recipie'))],
  createEncoder: ['recipe', () => plumage.createEncoder(wrong('recipee'))],
  'Network.load': ['positions', () => plumage.Network.load(wrong('vit'), wrong('engine'), wrong('position'))],
  'Network.run': ['outputs', () => network.run(none, wrong('output'))],
  'Network.planFor': ['positions', () => network.planFor({ rows: 2, columns: 2 }, wrong('position'))],
  'Network.programFor': ['overlap', () => network.programFor({ rows: 2, columns: 2 }, [], wrong('overlaps'))],
  attentionBytes: ['layers', () => plumage.attentionBytes(encoder, { rows: 2, columns: 2 }, wrong('layer'))],
  'Program.run': ['batch', () => makeProgram().run(none, wrong('bach'))],
  'Program.profile': ['batch', () => makeProgram().profile(none, wrong('bach'))],
  'Engine.load': [
    'signal',
    () => loadOn(plumage.createReferenceEngine()),
    () => loadOn(plumage.createWasmEngine({ threads: 1 })),
    async () => loadOn((await plumage.chooseEngine()).engine),
  ],
  'Encoder.encode': ['layers', () => encoder.encode('a.jpg', wrong('layer'))],
  'Encoder.encodeAll': ['batch', () => encoder.encodeAll([], wrong('bach'))],
  matchPatches: ['threshold', () => plumage.matchPatches(wrong('map'), wrong('map'), wrong('treshold'))],
  agreeingMatches: [
    'tolerance',
    () => plumage.agreeingMatches([], wrong('placed'), wrong('placed'), wrong('tolerence')),
  ],
  drawPatchColors: [
    'opacity',
    () => plumage.drawPatchColors(wrong('photo'), { grid: {} } as never, {} as never, wrong('opacty')),
  ],
  drawMask: [
    'upsample',
    () => plumage.drawMask(wrong('photo'), wrong('placed'), wrong('mask'), wrong('upsampel')),
  ],
  drawHeat: ['range', () => plumage.drawHeat(wrong('photo'), wrong('placed'), none, wrong('ranke'))],
  'RowScorer.nearestRows': ['signal', () => plumage.plainScorer.nearestRows(none, [], 1, wrong('signl'))],
  'RowScorer.nearestToEach': [
    'allowed',
    () => plumage.plainScorer.nearestToEach(none, 1, [], 1, wrong('alowed')),
  ],
  'RowScorer.keepNearest': [
    'mutualFrom',
    () =>
      plumage.plainScorer.keepNearest(
        new Float64Array(2),
        1,
        [],
        new Uint32Array(),
        new Uint32Array(),
        wrong('mutualfrom'),
      ),
  ],
  nearestGraph: ['products', () => plumage.nearestGraph([], 1, 1, wrong('product'))],
  approximateGraph: ['probes', () => plumage.approximateGraph([], 1, 1, wrong('probe'))],
  'Products.gram': ['signal', () => plumage.plainProducts.gram([], 1, wrong('signl'))],
  'Products.mean': ['signal', () => plumage.plainProducts.mean([], 1, wrong('signl'))],
  'Products.gramTimes': [
    'signal',
    () => plumage.plainProducts.gramTimes([], new Float64Array(1), new Float64Array(1), wrong('signl')),
  ],
  'Products.similarity': ['signal', () => plumage.plainProducts.similarity(none, none, 1, wrong('signl'))],
  fitForeground: ['clicks', () => plumage.fitForeground([], wrong('click'))],
  fitPatchColors: ['method', () => plumage.fitPatchColors([], wrong('methode'))],
  clusterPatches: ['seed', () => plumage.clusterPatches([], 2, wrong('sead'))],
  labelPatches: ['products', () => plumage.labelPatches(wrong('map'), wrong('clusters'), wrong('product'))],
  similarPatches: ['products', () => plumage.similarPatches(none, [], wrong('product'))],
  findObject: ['epsilon', () => plumage.findObject(wrong('map'), wrong('epsilom'))],
  rollOut: ['discardRatio', () => plumage.rollOut(wrong('features'), wrong('discardRate'))],
}

const NODE: Calls = {
  createJob: ['unique', () => plumage.createJob(wrong('source'), wrong('uniqe'))],
  runWorker: ['queue', () => plumage.runWorker('a', wrong('quue'))],
  jobStatus: ['signal', () => plumage.jobStatus('a', wrong('signl'))],
  pauseJob: ['signal', () => plumage.pauseJob('a', wrong('signl'))],
  cancelJob: ['signal', () => plumage.cancelJob('a', wrong('signl'))],
  resumeJob: ['maxFailed', () => plumage.resumeJob('a', wrong('maxFaild'))],
  retryJob: ['reasons', () => plumage.retryJob('a', wrong('reason'))],
  proveJob: ['deep', () => plumage.proveJob('a', wrong('dep'))],
  finishJob: ['rowsPerCollection', () => plumage.finishJob('a', 'b', wrong('rowsPerColection'))],
  exportJob: ['onProgress', () => plumage.exportJob('a', 'b', wrong('onProgres'))],
  listJobs: ['signal', () => plumage.listJobs('a', wrong('signl')).next()],
  openJobQueue: ['lockMs', () => plumage.openJobQueue('redis://a', 'b', wrong('lokMs'))],
  findDuplicates: ['near', () => plumage.findDuplicates(wrong('collection'), wrong('nead'))],
  findLeakage: ['split', () => plumage.findLeakage(wrong('collection'), wrong('splitt'))],
  moveDuplicates: ['signal', () => plumage.moveDuplicates(wrong('collection'), [], wrong('signl'))],
  undoDuplicates: ['signal', () => plumage.undoDuplicates(wrong('collection'), wrong('signl'))],
  loadEncoder: ['size', () => plumage.loadEncoder(MINI, wrong('sise'))],
  describeModel: ['recipe', () => plumage.describeModel(MINI, wrong('recipie'))],
  convertModel: ['dtype', () => plumage.convertModel(MINI, 'nowhere', wrong('dtipe'))],
  packModel: ['precision', () => plumage.packModel(MINI, wrong('presision'))],
  chooseEngine: ['threads', () => plumage.chooseEngine(wrong('thread'))],
  findModel: ['offline', () => plumage.findModel(MINI, wrong('ofline'))],
  decodeImage: ['orientation', () => plumage.decodeImage('a.jpg', wrong('orientaton'))],
  openVit: ['heads', () => plumage.openVit('a', wrong('heds'))],
  openFile: ['signal', () => plumage.openFile('a', wrong('signl'))],
  openStorage: ['endpoint', () => plumage.openStorage('.', wrong('endpont'))],
  'Storage.look': ['signal', async () => (await plumage.openStorage('.')).look('a', wrong('signl'))],
  'Storage.read': ['offset', async () => (await plumage.openStorage('.')).read('a', wrong('ofset'))],
  'Storage.write': [
    'ifAbsent',
    async () => (await plumage.openStorage('.')).write('a', new Uint8Array(), wrong('ifAbsnt')),
  ],
  'Storage.list': [
    'prefix',
    async () => (await plumage.openStorage('.')).list(wrong('prefx'))[Symbol.asyncIterator]().next(),
  ],
  'Storage.remove': ['signal', async () => (await plumage.openStorage('.')).remove('a', wrong('signl'))],
  tryConditionalWrites: ['signal', () => plumage.tryConditionalWrites(wrong('storage'), wrong('signl'))],
  downloadFile: ['sha256', () => plumage.downloadFile('https://a.example/b', 'b', wrong('sha25'))],
  resolveWeights: ['format', () => plumage.resolveWeights('x', wrong('fromat'))],
  explainVector: ['maxRuns', () => plumage.explainVector('x.png', none, wrong('maxRun'))],
  pullModel: ['into', () => plumage.pullModel('a/b', wrong('inot'))],
  verifyCached: ['signal', () => plumage.verifyCached(wrong('model'), wrong('signl')).next()],
  'PhotoEncoder.encodeAll': ['batch', () => encoder.encodeAll([], wrong('bach'))],
  checkPhotos: ['deep', () => plumage.checkPhotos(collection, wrong('dep')).next()],
  moveCollectionRoot: ['force', () => plumage.moveCollectionRoot(collection, 'photos', '.', wrong('forse'))],
  layOutInThread: ['signal', () => plumage.layOutInThread(wrong('job'), wrong('signl'))],
  openCollection: ['write', () => plumage.openCollection('photos.plumage', wrong('wite'))],
  openCollections: ['mirror', () => plumage.openCollections('photos.plumage', wrong('miror'))],
  createCollection: [
    'signal',
    () => plumage.createCollection('photos.plumage', wrong('settings'), wrong('signl')),
  ],
  exportCollection: ['columns', () => plumage.exportCollection(wrong('c'), 'a.csv', wrong('colums'))],
  importCollection: ['foreign', () => plumage.importCollection('a.csv', 'c', wrong('forein'))],
  indexRegions: ['onDone', () => plumage.indexRegions(collection, wrong('encoder'), wrong('onDon'))],
  openRegions: ['write', () => plumage.openRegions(collection, wrong('writ'))],
  indexFolders: [
    'prune',
    () => plumage.indexFolders(wrong('collection'), [], wrong('encoder'), wrong('prun')),
  ],
  createProducts: ['threads', async () => plumage.createProducts(wrong('thread'))],
  createNativeEngine: ['precision', () => plumage.createNativeEngine(wrong('precison'))],
  createWasmEngine: ['relaxed', () => plumage.createWasmEngine(wrong('relax'))],
  createWebgpuEngine: ['verify', () => plumage.createWebgpuEngine(wrong('verfy'))],
  verifyModel: ['photos', () => plumage.verifyModel(MINI, wrong('photo'))],
  verifyGoldens: ['filter', () => plumage.verifyGoldens('.', wrong('filtre')).next()],
  describeVideo: ['maxPixels', () => plumage.describeVideo('a.mp4', wrong('maxPixel'))],
  videoFrames: ['every', () => plumage.videoFrames('a.mp4', wrong('evry'))],
  writeVideo: ['soundOf', () => plumage.writeVideo('a.mp4', wrong('pictures'), wrong('soundof'))],
}

const BROWSER: Calls = {
  loadEncoder: ['size', () => page.loadEncoder('small', wrong('sise'))],
  decodeImage: ['orientation', () => page.decodeImage('a.jpg', wrong('orientaton'))],
  createWasmEngine: ['relaxed', () => page.createWasmEngine(wrong('relax'))],
  createWebgpuEngine: ['verify', () => page.createWebgpuEngine(wrong('verfy'))],
}

const BIRDER: Calls = {
  loadPretrainedModel: ['inference', () => birder.loadPretrainedModel('x', wrong('inferrence'))],
  loadModel: ['newSize', () => birder.loadModel('x', wrong('newsize'))],
  openImage: ['signal', () => birder.openImage('a.jpg', wrong('signl'))],
  inferImage: [
    'returnLogits',
    () => birder.inferImage(wrong('net'), 'a.jpg', wrong('transform'), wrong('returnLogit')),
  ],
  inferBatch: [
    'returnEmbedding',
    () => birder.inferBatch(wrong('net'), wrong('inputs'), wrong('returnEmbeding')),
  ],
  classificationTransform: [
    'centerCrop',
    () => birder.classificationTransform([28, 28], stats, wrong('centreCrop')),
  ],
  'BirderNet.embedding': ['signal', () => net.embedding(pixels, wrong('signl'))],
  'BirderNet.forward': ['signal', () => net.forward(pixels, wrong('signl'))],
  'BirderNet.forwardFeatures': ['signal', () => net.forwardFeatures(pixels, wrong('signl'))],
  'BirderNet.detectionFeatures': ['signal', () => net.detectionFeatures(pixels, wrong('signl'))],
  uniformMask: ['minMaskSize', () => birder.uniformMask(1, 2, 2, 0.5, wrong('minMasksize'))],
  'BirderNet.maskedEncodingOmission': [
    'returnKeys',
    () => net.maskedEncodingOmission(pixels, null, wrong('returnKey')),
  ],
  'BirderNet.maskedEncodingRetention': [
    'maskToken',
    () => net.maskedEncodingRetention(pixels, pixels, wrong('maskTokn')),
  ],
  'BirderNet.forwardWithEmbedding': ['signal', () => net.forwardWithEmbedding(pixels, wrong('signl'))],
  'BirderNet.forwardWithAttention': [
    'headFusion',
    () => net.forwardWithAttention(pixels, wrong('headFussion')),
  ],
  'BirderNet.forwardWithRouting': ['signal', () => net.forwardWithRouting(pixels, wrong('signl'))],
  'AttentionRollout.call': [
    'signal',
    () => new birder.AttentionRollout(net, wrong('transform'), stats).call(wrong('image'), wrong('signl')),
  ],
  'FeaturePCA.call': [
    'signal',
    () => new birder.FeaturePCA(net, wrong('transform'), stats).call(wrong('image'), wrong('signl')),
  ],
  'MoERouting.call': [
    'signal',
    () => new birder.MoERouting(net, wrong('transform'), stats).call(wrong('image'), wrong('signl')),
  ],
  featureMatching: [
    'threshold',
    () => birder.featureMatching(net, wrong('image'), wrong('image'), wrong('transform'), wrong('treshold')),
  ],
}

/** These are sharp's, and what is handed to a worker, which judges its own options. */
const OF_OTHERS = [
  'SharpLike.raw',
  'SharpLike.toBuffer',
  'RowSource.rows',
  'JobEncoder.encodeAll',
  'Fetcher.fetch',
  'Claim.giveBack',
  'JobQueue.add',
  'JobQueue.take',
  'JobQueue.counts',
]

describe.each([
  ['plumage', UNIVERSAL],
  ['plumage/node', NODE],
  ['plumage/browser', BROWSER],
  ['plumage/birder', BIRDER],
])('%s', (door, calls) => {
  test('each call that takes options is tried', () => {
    const found = callsWithOptions(modules, DOORS[door]).filter((call) => !OF_OTHERS.includes(call))
    expect(found.filter((call) => !Object.hasOwn({ ...UNIVERSAL, ...calls }, call))).toEqual([])
    expect(Object.keys(calls).filter((call) => !found.includes(call))).toEqual([])
  })

  test.each(Object.entries(calls))('%s refuses an unknown option', async (_call, [meant, ...runs]) => {
    for (const run of runs) {
      await expect((async () => await run())()).rejects.toMatchObject({
        name: 'RangeError',
        message: expect.stringMatching(new RegExp(`^There is no option \\w+\\. Did you mean ${meant}\\?`)),
      })
    }
  })
})

test('an option that the choice of another one makes useless is refused too', async () => {
  await expect(plumage.chooseEngine({ engine: 'reference', threads: 2 })).rejects.toThrow(
    'The option threads is for native and wasm; the engine reference has none',
  )
  await expect(plumage.loadEncoder(MINI, { maxPatches: 100 })).rejects.toThrow("add recipe: 'native'")
})
