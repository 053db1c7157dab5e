/** Collects what a Parquet writer writes, a row group at a time. */
import { ByteWriter } from 'hyparquet-writer'

/** Gives up the bytes of a row group once they are taken, so that the library holds one at a time. */
export class GroupWriter extends ByteWriter {
  /** Gives the bytes since the last time; what comes next is written over them. */
  take(): Uint8Array {
    const bytes = this.getBytes()
    this.index = 0
    return bytes
  }
}
