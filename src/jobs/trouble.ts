/** Tells what may pass by itself from what may not. */
import { StorageError } from '../storage/storage-error.js'
import { QueueError } from './queue-error.js'

/** Says whether a service did not answer, which it may do later. */
export function isTrouble(error: unknown): boolean {
  return (error instanceof StorageError || error instanceof QueueError) && error.code === 'unavailable'
}
