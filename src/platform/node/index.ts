/** `plumage/node` is the universal API with Node's ways to reach files, photos, published weights and the native engine. */

export type { DtypeName } from '../../convert/dtypes.js'
export type { WeightsForm } from '../../convert/file-forms.js'
export type { LibraryName } from '../../convert/writer.js'
export type { OnReading } from '../../encoder/digest-of.js'
export type { NativeOptions } from '../../engine/native/native-engine.js'
export type { NativeProductsOptions } from '../../engine/native/native-products.js'
export type { ProductPrecision } from '../../engine/ops.js'
export type { WebgpuPrecision } from '../../engine/webgpu/webgpu-precisions.js'
export type { DownloadJob } from '../../hub/download.js'
export type { PretrainedEntry, PublishedFile, WeightsFormat } from '../../hub/pretrained-entry.js'
export * from '../../index.js'
export type { CreatedJob, RowSource } from '../../jobs/create-job.js'
export type { JobEncoder } from '../../jobs/encode-rows.js'
export type { GivenBackReason, WorkerEvent } from '../../jobs/events.js'
export type { Fetcher } from '../../jobs/fetcher.js'
export type { Finished } from '../../jobs/finish-job.js'
export type { Job, JobSettings, PartDtype } from '../../jobs/job.js'
export { JobError, type JobErrorCode } from '../../jobs/job-error.js'
export type { JobProgress, SeenWorker } from '../../jobs/job-status.js'
export type { Plan, PlannedSegment } from '../../jobs/plan.js'
export type { Proof } from '../../jobs/prove-job.js'
export type { Claim, JobQueue, QueueCounts, Task } from '../../jobs/queue.js'
export { QueueError, type QueueErrorCode } from '../../jobs/queue-error.js'
export type { Place, RowFailure, SourceRow } from '../../jobs/row.js'
export type { JobStatus } from '../../jobs/state.js'
export type { WorkerOutcome } from '../../jobs/worker.js'
export type {
  ListOptions,
  LookOptions,
  ReadOptions,
  Storage,
  StoredObject,
  Version,
  WriteOptions,
  Written,
} from '../../storage/storage.js'
export { StorageError, type StorageErrorCode } from '../../storage/storage-error.js'
export { tryConditionalWrites } from '../../storage/try-conditional-writes.js'
export type { ExplainOptions } from '../../verify/explain/explain-vector.js'
export type {
  MeasuredRow,
  ModelRow,
  RefusedRow,
  Truth,
  VerifiedModel,
} from '../../verify/model/verified-model.js'
export type { CaseSelection, LeftOut } from '../../verify/verify-cases.js'
export { chooseEngine, type EngineChoice } from './choose-engine.js'
export {
  type CheckPhotosOptions,
  checkPhotos,
  type MoveRootOptions,
  moveCollectionRoot,
  removeCollection,
} from './collection/care-for.js'
export type { PhotoEncoder } from './collection/examine-photos.js'
export { type ExportedCollection, exportCollection } from './collection/export-collection.js'
export { findDuplicates, findLeakage } from './collection/find-duplicates.js'
export { type ImportOptions, importCollection } from './collection/import-collection.js'
export { type IndexFoldersOptions, indexFolders } from './collection/index-folders.js'
export { type IndexRegionsOptions, indexRegions, openRegions } from './collection/index-regions.js'
export type { OpenStoreOptions } from './collection/lance-store.js'
export { layOutInThread } from './collection/lay-out-in-thread.js'
export { lackingMetadata, writeMetadata } from './collection/merge-metadata.js'
export {
  type MovedCopy,
  type MoveOptions,
  moveDuplicates,
  type UndoOptions,
  undoDuplicates,
} from './collection/move-duplicates.js'
export type { FileMove, UndoneMove } from './collection/move-files.js'
export {
  type CollectionOptions,
  type CollectionSettings,
  createCollection,
  openCollection,
} from './collection/open-collection.js'
export { type CollectionsOptions, openCollections } from './collection/open-collections.js'
export { type ConvertedModel, type ConvertOptions, convertModel } from './convert/convert-model.js'
export { createProducts, type FeatureProducts } from './create-products.js'
export { type DecodeOptions, decodeImage } from './decode-image.js'
export { describeModel, type FileDescription } from './describe-model.js'
export { type ExplainVectorOptions, type Explanation, explainVector } from './explain-vector.js'
export { type FindModelOptions, type FoundModel, findModel } from './find-model.js'
export { hasHeicDecoder } from './heic/heic-decoder.js'
export {
  type CachedModel,
  listCache,
  removeCached,
  type VerifiedFile,
  type VerifyCachedOptions,
  verifyCached,
} from './hub/cache-contents.js'
export { type DownloadedFile, type DownloadOptions, downloadFile } from './hub/download-file.js'
export { cacheFolder, type Environment } from './hub/hub-settings.js'
export { type PulledFile, type PulledModel, type PullOptions, pullModel } from './hub/pull-model.js'
export { type ResolvedWeights, type ResolveOptions, resolveWeights } from './hub/resolve-weights.js'
export type { ImageSource, SharpLike } from './image-source.js'
export { type CreateJobOptions, createJob } from './jobs/create-job.js'
export {
  type ExportJobOptions,
  exportJob,
  type FinishedCollections,
  type FinishJobOptions,
  finishJob,
} from './jobs/finish-job.js'
export {
  cancelJob,
  type JobOptions,
  jobStatus,
  type ProveOptions,
  pauseJob,
  proveJob,
  type ResumeOptions,
  type RetryOptions,
  resumeJob,
  retryJob,
} from './jobs/follow-job.js'
export type { Fetching } from './jobs/job-fetcher.js'
export type { JobPlace } from './jobs/job-place.js'
export { type ListedJob, listJobs } from './jobs/list-jobs.js'
export { type JobQueueOptions, openJobQueue } from './jobs/open-job-queue.js'
export { type RunWorkerOptions, runWorker } from './jobs/run-worker.js'
export { loadEncoder } from './load-encoder.js'
export { createNativeEngine, type NativeAvailability, nativeAvailability } from './native/index.js'
export { type FileSource, openFile } from './open-file.js'
export { type OpenVit, type OpenVitHints, openVit } from './open-vit.js'
export { type PackedModel, packModel } from './pack-model.js'
export { type OpenStorageOptions, openStorage } from './storage/open-storage.js'
export type { S3Credentials } from './storage/s3/credentials.js'
export { type Comparison, type VerifyOptions, verifyGoldens } from './verify-goldens.js'
export { type VerifyModelOptions, verifyModel } from './verify-model.js'
export { type DescribeVideoOptions, describeVideo, type VideoDescription } from './video/describe-video.js'
export type { ToneMap } from './video/frame-settings.js'
export { VideoError, type VideoErrorCode } from './video/video-error.js'
export { type VideoFrame, type VideoFrameOptions, videoFrames } from './video/video-frames.js'
export {
  type TimedPicture,
  type WriteVideoOptions,
  type WrittenVideo,
  writeVideo,
} from './video/write-video.js'
export { createWasmEngine, type WasmEngine, type WasmOptions, type WasmPrecision } from './wasm/index.js'
export type * from './web-names.js'
export { createWebgpuEngine, type WebgpuEngine, type WebgpuOptions } from './webgpu/index.js'
