/** Mounts a disk of a few hundred kilobytes, which is soon full, where the system allows it: on Linux, as root. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SmallDisk extends Disposable {
  readonly path: string
  /** Changes how it is mounted: `size=4m`, `ro`, `rw`. */
  remount(options: string): void
}

/** Gives null where nothing can be mounted. */
export function smallDiskOrNull(size: string): SmallDisk | null {
  const path = mkdtempSync(join(tmpdir(), 'plumage-disk-'))
  const mount = (options: string) =>
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'ignore' })
  try {
    mount(`size=${size}`)
  } catch {
    rmSync(path, { recursive: true })
    return null
  }
  return {
    path,
    remount: (options) => mount(`remount,${options}`),
    [Symbol.dispose]() {
      execFileSync('umount', ['-l', path])
      rmSync(path, { recursive: true })
    },
  }
}
