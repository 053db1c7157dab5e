/** The native engine of an installed package is built into the cache: where its disk is full, that is said, and not that the compiler fails. */
import { execFile } from 'node:child_process'
import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { smallDiskOrNull } from '../support/small-disk.js'

const root = join(import.meta.dirname, '../..')

/** Lays out an installed package of links, whose compiler compiles an empty file, so that no time goes into kernels. */
function installedPackage(folder: string): string {
  const installed = join(folder, 'node_modules/plumage')
  mkdirSync(join(installed, 'native'), { recursive: true })
  cpSync(join(root, 'scripts/build-native.mjs'), join(installed, 'scripts/build-native.mjs'))
  writeFileSync(join(installed, 'package.json'), JSON.stringify({ name: 'plumage', version: '0.0.0' }))
  for (const name of ['dist', 'native/src']) symlinkSync(join(root, name), join(installed, name))
  const headers = 'node_modules/node-api-headers'
  symlinkSync(join(root, headers), join(folder, headers))
  const compiler =
    'case $1 in --version) c++ --version;; *) for last; do :; done; c++ -x c++ -c /dev/null -o "$last";; esac'
  writeFileSync(join(folder, 'c++'), `#!/bin/sh\n${compiler}\n`, { mode: 0o755 })
  return join(installed, 'scripts/build-native.mjs')
}

test('a full disk is told from a compiler that fails, and nothing half made is left', async ({ skip }) => {
  using disk = smallDiskOrNull('64k') ?? skip('no small disk can be mounted here: that needs Linux and root')
  const folder = mkdtempSync(join(tmpdir(), 'plumage-build-disk-'))
  try {
    const script = installedPackage(folder)
    const target = join(disk.path, 'native', `0.0.0-${process.platform}-${process.arch}`)
    mkdirSync(join(target, 'objects'), { recursive: true })
    const filling = openSync(join(disk.path, 'filling'), 'w')
    expect(() => {
      for (;;) writeSync(filling, Buffer.alloc(4096))
    }).toThrow('ENOSPC')
    closeSync(filling)
    const env = { ...process.env, CXX: join(folder, 'c++'), PLUMAGE_CACHE: disk.path }
    const stderr = await new Promise((resolve) =>
      execFile(
        process.execPath,
        ['--preserve-symlinks', '--preserve-symlinks-main', script],
        { env },
        (_error, _stdout, text) => resolve(text),
      ),
    )
    expect(stderr).toMatch(
      new RegExp(`: .*No space left on device.* \\(in ${target}\\)\\. Make room or .* PLUMAGE_CACHE`),
    )
    expect(readdirSync(join(target, 'objects'))).toEqual([])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
