/** Names the universal public API, which needs neither files nor a particular runtime. */

export type { ByteSource, Checkpoint, OpenCheckpoint, TensorInfo } from './checkpoint/checkpoint.js'
export { CheckpointError, type CheckpointErrorCode } from './checkpoint/checkpoint-error.js'
export { type OpenCheckpointOptions, openCheckpoint } from './checkpoint/open-checkpoint.js'
export type { CollectionProblem, CollectionProblemKind } from './collection/check-collection.js'
export {
  type ClusterMethod,
  type ClusterPhotosOptions,
  clusterPhotos,
  type PhotoCluster,
  type PhotoClusters,
} from './collection/cluster-photos.js'
export {
  Collection,
  type CollectionParts,
  type FoundRow,
  type NearestOptions,
} from './collection/collection.js'
export { CollectionError, type CollectionErrorCode } from './collection/collection-error.js'
export {
  type CollectionColumn,
  type ColumnType,
  PHOTO_COLUMNS,
  type PhotoColumn,
  type Value,
} from './collection/columns.js'
export type { Copy, UnreadCopy } from './collection/duplicates/copy.js'
export { Different, markDifferent } from './collection/duplicates/decisions.js'
export {
  countDuplicates,
  DUPLICATE_KINDS,
  type DuplicateCounts,
  type DuplicateGroup,
  type DuplicateKind,
  type DuplicatePair,
  type GroupMember,
  type GroupOptions,
  groupDuplicates,
} from './collection/duplicates/duplicate-group.js'
export type {
  DuplicateOptions,
  DuplicateProgress,
  FoundDuplicates,
} from './collection/duplicates/find-duplicates.js'
export type { FoundLeakage, Leak, LeakageOptions } from './collection/duplicates/find-leakage.js'
export { KEEP_RULES, type KeepRule, type KeepRuleName } from './collection/duplicates/keep-rules.js'
export type { LackingFacts, PhotoFacts } from './collection/duplicates/lacking.js'
export type { ExportChoice } from './collection/export-rows.js'
export {
  FLAW_RULES,
  FLAWS,
  type Flaw,
  type FlawedPhoto,
  type FlawOptions,
  type FlawRule,
  findFlaws,
} from './collection/find-flaws.js'
export { findOutliers, type Outlier, type OutlierOptions } from './collection/find-outliers.js'
export type { ImportChoice, ImportCounts, RefusedCode, RefusedRow } from './collection/import-rows.js'
export type {
  IndexChoice,
  IndexCounts,
  IndexListener,
  IndexPlan,
  IndexSeconds,
  UnreadPhoto,
} from './collection/index-photos.js'
export {
  compareEmbeddings,
  type ModelComparison,
  type ModelRows,
} from './collection/labels/compare-embeddings.js'
export {
  findMislabelled,
  type Mislabelled,
  type MislabelledOptions,
  type MislabelledPhoto,
} from './collection/labels/find-mislabelled.js'
export {
  type GivenLabels,
  type GiveOptions,
  giveLabels,
  type LabelOfPhoto,
  type LabelsOptions,
  type LabelToGive,
  labelFromFolders,
  labelsOf,
} from './collection/labels/give-labels.js'
export {
  type ClassReport,
  type Judged,
  type JudgedProbe,
  type JudgedVotes,
  type JudgeOptions,
  judgeClasses,
} from './collection/labels/judge-classes.js'
export type { LabelledPhotos, SetPhoto } from './collection/labels/labelled-photos.js'
export {
  type Suggestion,
  type Suggestions,
  type SuggestOptions,
  suggestLabels,
} from './collection/labels/suggest-labels.js'
export { headFile, type TrainedReport, type TrainOptions, trainHead } from './collection/labels/train-head.js'
export { type MapPhotosOptions, mapPhotos, type PhotoMap } from './collection/map-photos.js'
export { createMemoryStore } from './collection/memory-store.js'
export type { KeptPhoto } from './collection/photos-block.js'
export { type FoundPlace, findPlace, placeVector } from './collection/regions/find-place.js'
export type { RegionFeatures } from './collection/regions/photo-regions.js'
export { type RegionSearchOptions, searchRegions } from './collection/regions/search-regions.js'
export type { RootMatch } from './collection/roots.js'
export type { Embeddings, Row, RowBlock } from './collection/row-block.js'
export { openSavedCollection, saveCollection } from './collection/saved-collection.js'
export type { QueryWay } from './collection/search/query-vector.js'
export {
  type Example,
  everyPhoto,
  type PhotoSearchOptions,
  type RankedPhoto,
  type SearchPage,
  type SearchProgress,
  type SearchQuery,
  searchPhotos,
} from './collection/search/search-photos.js'
export { type MeasureNearOptions, measureNear } from './collection/set/ask-set.js'
export { CollectionSet, type CollectionSetParts, type SetMember } from './collection/set/collection-set.js'
export type { NearFigures } from './collection/set/nearness.js'
export type {
  About,
  ByIndexOptions,
  CollectionStore,
  CompactOptions,
  CompactReport,
  IndexFigures,
  Log,
  LogName,
  NearRow,
  PrepareOptions,
  ScanChoice,
  StoredVectors,
  StoreFacts,
} from './collection/store.js'
export type { Comparand, Comparator, Condition } from './collection/where/condition.js'
export { parseWhere } from './collection/where/parse-where.js'
export { attentionBytes } from './encoder/attention-map.js'
export { type RecipeChoice, recipeFor } from './encoder/choose-recipe.js'
export { createEncoder } from './encoder/create-encoder.js'
export type { ModelDescription } from './encoder/describe-model.js'
export { encodeLike, METHOD_NAMES, METHODS, type Method, type MethodName, sizeLike } from './encoder/like.js'
export type { EngineChoiceName, EngineOptions, LoadOptions, PrecisionChoice } from './encoder/load-options.js'
export {
  type MaskedRun,
  Network,
  type NetworkChange,
  type NetworkOptions,
  type PlanChoice,
  type RunOptions,
} from './encoder/network.js'
export type { PackedWeights } from './encoder/packed-weights.js'
export {
  assertHeadFits,
  headScores,
  type ReadHeadOptions,
  readHead,
  type TrainedHead,
} from './encoder/trained-head.js'
export type * from './encoder/types.js'
export type { EncoderParts } from './encoder/vit-stages.js'
export type { WeightDigest } from './encoder/weight-digest.js'
export type {
  Engine,
  EngineModel,
  EngineName,
  GivenInputs,
  OpTime,
  Precision,
  Program,
  RunTimes,
  WeightSource,
} from './engine/engine.js'
export { EngineError, type EngineErrorCode } from './engine/engine-error.js'
export type { InstructionSet } from './engine/native/addon.js'
export type { Constant, ConstantName, Plan, PlanInput, SlotName, Step } from './engine/plan.js'
export { createReferenceEngine } from './engine/reference/reference-engine.js'
export type { DownloadProgress } from './hub/download-progress.js'
export { HubError, type HubErrorCode } from './hub/hub-error.js'
export type { PixelImage } from './image/given-pixels.js'
export type { Box, DecodedImage, RgbImage } from './image/image.js'
export { ImageError, type ImageErrorCode } from './image/image-error.js'
export type { Preparation } from './image/preparation.js'
export { type PreparedImage, prepareImage, type SourceImage } from './image/prepare-image.js'
export type { DecodeMode, Recipe, RecipeName } from './image/recipe.js'
export type { DigestWords } from './kernels/digest-words.js'
export type { PassOrder, Resample } from './kernels/resample-pillow.js'
export type { VitHints } from './model/dialects/dialect.js'
export type { StoredPart, StoredWeight } from './model/dialects/stored-weight.js'
export { gridTables, type StoredTables } from './model/grid-tables.js'
export type {
  AttentionTap,
  ChosenWeights,
  Inspection,
  PlannedInspection,
  PlannedQueries,
  PlannedWeights,
} from './model/inspection.js'
export { networkNames } from './model/networks.js'
export { NORMALISATION_NAMES, NORMALISATIONS, type NormalisationName } from './model/normalisation.js'
export type { Overlap } from './model/overlap.js'
export type { Masking } from './model/plan-masking.js'
export { type PlanVariant, planVit, type VitPlan } from './model/plan-vit.js'
export { POSITION_RULES, type PositionRule } from './model/position-rule.js'
export { resamplePositions } from './model/positions.js'
export { readVit, type VitModel } from './model/read-vit.js'
export { EMBEDDING_KINDS, type EmbeddingKind, type RgbStats, type VitConfig } from './model/vit-config.js'
export type { Agreement, Mark } from './numerics/compare-laid-over.js'
export { cosineSimilarity } from './numerics/cosine-similarity.js'
export { findScenes, type Scene } from './numerics/find-scenes.js'
export type { KMeansOptions } from './numerics/k-means.js'
export type { Calibration, ReliabilityBin } from './numerics/labelled/calibration.js'
export type { Unsureness } from './numerics/labelled/choose-next.js'
export type {
  BootstrapOptions,
  ClassMeasures,
  Interval,
  MeasureIntervals,
  Measures,
} from './numerics/labelled/class-metrics.js'
export type { FewShotPoint, TriedC } from './numerics/labelled/cross-validate.js'
export type { LabelledRows } from './numerics/labelled/labelled-rows.js'
export type { VoteWeights } from './numerics/labelled/nearest-labelled.js'
export type { PairedTest } from './numerics/labelled/paired-tests.js'
export type { LayoutOptions } from './numerics/layout.js'
export { logBins } from './numerics/log-bins.js'
export {
  type ApproximateGraph,
  type ApproximateGraphOptions,
  approximateGraph,
  type NearestGraph,
  type NearestGraphOptions,
  nearestGraph,
} from './numerics/nearest-graph.js'
export type {
  KeepOptions,
  NearestOfEach,
  NearestRows,
  RowFile,
  RowPlace,
  RowScorer,
  SearchOptions,
  StoredRows,
} from './numerics/nearest-rows.js'
export { hashDistance, perceptualHash, turnedHashes } from './numerics/perceptual-hash.js'
export { type PhotoQuality, photoQuality } from './numerics/photo-quality.js'
export type { PlaneMap, PlaneMapKind } from './numerics/plane-map.js'
export type { PrincipalComponents } from './numerics/principal-components.js'
export { type Gram, type ProductOptions, type Products, plainProducts } from './numerics/products.js'
export type { Directions } from './numerics/projections.js'
export type { ProposedCount, TriedCount } from './numerics/propose-count.js'
export type { ProposedName } from './numerics/propose-names.js'
export type { GreyPixels, RgbPixels } from './numerics/reduce-pixels.js'
export { plainScorer, scorerOn } from './numerics/row-scorer.js'
export { type PictureProof, proveSame, type ReducedPicture, reducePicture } from './numerics/same-picture.js'
export { type ClassScore, topClasses } from './numerics/top-classes.js'
export type { MapJob } from './numerics/umap.js'
export { attentionValues } from './picture/attention-values.js'
export { COLOR_MAP_NAMES, type ColorMapName } from './picture/draw/color-maps.js'
export { drawConfusion } from './picture/draw/draw-confusion.js'
export { type DrawnMatch, drawMatches, type PlacedPhoto } from './picture/draw/draw-matches.js'
export {
  drawHeat,
  drawMask,
  drawPatchColors,
  type HeatOptions,
  type MaskOptions,
  type OverlayOptions,
} from './picture/draw/draw-patches.js'
export { captioned, contactSheet, sideBySide } from './picture/draw/layout.js'
export {
  type FindObjectOptions,
  type FoundObject,
  findObject,
  OBJECT_KEYS,
  OBJECT_SETTINGS,
  type ObjectFacet,
  type ObjectSetting,
  objectFacetOf,
} from './picture/find-object.js'
export {
  type Foreground,
  type ForegroundCut,
  type ForegroundOptions,
  fitForeground,
  foregroundMask,
  type PatchClick,
} from './picture/foreground.js'
export { largestPart, type MaskPart } from './picture/largest-part.js'
export { type DrawMapOptions, drawMap } from './picture/map/draw-map.js'
export { mapSvg } from './picture/map/map-svg.js'
export type { MapView } from './picture/map/map-view.js'
export {
  type AgreedMatches,
  type AgreeOptions,
  agreeingMatches,
  type MatchOptions,
  matchPatches,
  type PatchMatch,
  type PatchMatches,
} from './picture/match-patches.js'
export {
  clusterPatches,
  type LabelOptions,
  labelPatches,
  type PatchClusters,
} from './picture/patch-clusters.js'
export {
  colorPatches,
  type FitPatchColorsOptions,
  fitPatchColors,
  PATCH_COLOR_METHODS,
  type PatchColorMethod,
  type PatchColors,
  patchColorValues,
} from './picture/patch-colors.js'
export type { ModelIdentity, PatchMap } from './picture/patch-map.js'
export {
  commonDirection,
  patchAt,
  patchSimilarity,
  type SimilarityOptions,
  similarPatches,
} from './picture/patch-similarity.js'
export { type Place, type Placed, patchesAt } from './picture/patches-at.js'
export { PictureError, type PictureErrorCode } from './picture/picture-error.js'
export { type RollOutOptions, rollOut } from './picture/roll-out.js'
export { readPatchColors, writePatchColors } from './picture/saved-colors.js'
export { type TokenNorms, tokenNorms } from './picture/token-norms.js'
export { type GridValues, UPSAMPLINGS, type Upsampling, upsample } from './picture/upsample.js'
export type { PlainRecord, PlainValue } from './plain-value.js'
export type { DType } from './tensor/dtype.js'
export { type Tensor, toFloat32 } from './tensor/tensor.js'
export type * from './web-names.js'
