/** Tries where .ci/run looks for a release's backports: wherever the machine's own package sources have the release, in each way that apt reads them. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { packageRoot } from '../support/repository.js'

const execute = promisify(execFile)
const home = mkdtempSync(join(tmpdir(), 'plumage-sources-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const hasApt = await execute('apt-get', ['--version']).then(
  () => true,
  () => false,
)
if (!hasApt) console.warn('not run: where backports are looked for (there is no apt here)')

let count = 0

/** Runs the function on a machine with these files of sources. Rejects where it fails. */
async function lineFor(release: string, files: Readonly<Record<string, string>>): Promise<string> {
  const place = join(home, String(count++))
  mkdirSync(join(place, 'parts'), { recursive: true })
  writeFileSync(join(place, 'sources.list'), '')
  for (const [name, text] of Object.entries(files)) writeFileSync(join(place, name), text)
  const config = join(place, 'apt.conf')
  writeFileSync(
    config,
    `Dir::Etc::sourcelist "${place}/sources.list";
     Dir::Etc::sourceparts "${place}/parts";
     Dir::State::Lists "${place}/lists";`,
  )
  const script = 'set -uo pipefail; source .ci/backports.sh; backports_line "$1"'
  const { stdout } = await execute('bash', ['-c', script, 'bash', release], {
    cwd: packageRoot,
    env: { ...process.env, APT_CONFIG: config },
  })
  return stdout.trim()
}

describe.skipIf(!hasApt)('backports come from', () => {
  test('the host of a line of sources.list, with the options of the line left out', async () => {
    const line = 'deb [arch=amd64 trusted=yes] https://mirror.example/some/debian bookworm main contrib'
    expect(
      await lineFor('bookworm', { 'sources.list': `# deb http://old.example bookworm main\n${line}\n` }),
    ).toBe('deb https://mirror.example/some/debian bookworm-backports main')
  })

  test('the host of a stanza, unless it is switched off', async () => {
    const stanza = (host: string, more = '') =>
      `Types: deb\nURIs: http://${host}/debian/\nSuites: bookworm bookworm-updates\nComponents: main\n${more}\n`
    const sources = stanza('off.example', 'Enabled: no\n') + stanza('on.example')
    expect(await lineFor('bookworm', { 'parts/debian.sources': sources })).toBe(
      'deb http://on.example/debian bookworm-backports main',
    )
  })

  test('the host that serves updates as well, where others serve packages for the release', async () => {
    const files = {
      'parts/a.list': 'deb http://vendor.example/packages bookworm main\n',
      'parts/b.list':
        'deb http://mirror.example/debian bookworm main\ndeb http://mirror.example/debian bookworm-updates main\n',
    }
    expect(await lineFor('bookworm', files)).toBe('deb http://mirror.example/debian bookworm-backports main')
  })

  test('nowhere else where the machine has them already', async () => {
    const files = {
      'parts/a.list':
        'deb http://a.example/debian bookworm main\ndeb http://b.example/debian bookworm-backports main\n',
    }
    expect(await lineFor('bookworm', files)).toBe('')
  })

  test('nowhere where no source has the release, which is a failure', async () => {
    await expect(lineFor('bookworm', {})).rejects.toMatchObject({ code: 1 })
    const files = { 'parts/a.list': 'deb http://a.example/debian trixie main\n' }
    await expect(lineFor('bookworm', files)).rejects.toMatchObject({ code: 1 })
  })
})
