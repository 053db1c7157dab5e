/**
 * Makes a disk that fails while files on it are open for writing, as a real one does: from then on it is read-only, which no mount command could
 * bring about. It is a file that the system takes for a disk, where that is allowed: on Linux, as root.
 */
import { execFileSync } from 'node:child_process'
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

export interface FailingDisk extends Disposable {
  readonly path: string
  /** From now on nothing can be written to it. */
  fail(): void
  /** Repairs it, as after a restart of the machine; no file on it may be open. */
  mend(): void
}

const run = (command: string, ...args: readonly string[]) =>
  execFileSync(command, args, { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' })

/** Gives null where no such disk can be had. */
export function failingDiskOrNull(): FailingDisk | null {
  const folder = mkdtempSync(join(tmpdir(), 'plumage-failing-'))
  const image = join(folder, 'image')
  const path = join(folder, 'disk')
  const mount = () => run('mount', '-o', 'loop,errors=remount-ro', image, path)
  const trigger = () =>
    `/sys/fs/ext4/${basename(run('findmnt', '-no', 'SOURCE', path).trim())}/trigger_fs_error`
  const removeAll = () => rmSync(folder, { recursive: true })
  try {
    writeFileSync(image, '')
    truncateSync(image, 2 ** 23)
    mkdirSync(path)
    run('mkfs.ext4', '-q', '-O', '^has_journal', image)
    mount()
  } catch {
    removeAll()
    return null
  }
  const unmount = () => {
    run('umount', '-l', path)
    removeAll()
  }
  try {
    // Some containers may mount, and may not tell the kernel to fail.
    accessSync(trigger(), constants.W_OK)
  } catch {
    unmount()
    return null
  }
  return {
    path,
    fail: () => writeFileSync(trigger(), '1'),
    mend() {
      run('umount', path)
      try {
        run('e2fsck', '-fy', image)
      } catch {
        // It ends so where it has mended something.
      }
      mount()
    },
    [Symbol.dispose]: unmount,
  }
}
