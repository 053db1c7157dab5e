import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { applyEndpoint, cacheFolder, expanded, isOffline, tokenHeader } from './hub-settings.js'
import { huggingFaceCache } from './python-caches.js'

test('the cache folder: PLUMAGE_CACHE, else XDG_CACHE_HOME, else where each system keeps caches', () => {
  const env = { HOME: '/home/ada', XDG_CACHE_HOME: '/xdg', PLUMAGE_CACHE: '/mine' }
  expect(cacheFolder(env)).toBe(resolve('/mine'))
  expect(cacheFolder({ ...env, PLUMAGE_CACHE: '' })).toBe(join('/xdg', 'plumage'))
  expect(cacheFolder({ HOME: '/home/ada', XDG_CACHE_HOME: 'relative' }, 'linux')).toBe(
    join('/home/ada', '.cache', 'plumage'),
  )
  expect(cacheFolder({ HOME: '/Users/ada' }, 'darwin')).toBe(
    join('/Users/ada', 'Library', 'Caches', 'plumage'),
  )
  expect(cacheFolder({ LOCALAPPDATA: '/AppData/Local' }, 'win32')).toBe(join('/AppData/Local', 'plumage'))
  expect(cacheFolder({}, 'linux')).toBe(join(homedir(), '.cache', 'plumage'))
})

test.each([
  ['1', true],
  ['true', true],
  ['ON', true],
  ['yes', true],
  ['0', false],
  ['', false],
  [undefined, false],
])('HF_HUB_OFFLINE=%s: %s', (HF_HUB_OFFLINE, expected) => {
  expect(isOffline({ HF_HUB_OFFLINE })).toBe(expected)
})

test('HF_ENDPOINT replaces the host of Hugging Face and of nobody else', () => {
  const env = { HF_ENDPOINT: 'https://mirror.example/hf/' }
  expect(applyEndpoint('https://huggingface.co/a/b', env)).toBe('https://mirror.example/hf/a/b')
  expect(applyEndpoint('https://huggingface.co.example/a', env)).toBe('https://huggingface.co.example/a')
  expect(applyEndpoint('https://huggingface.co/a/b', {})).toBe('https://huggingface.co/a/b')
})

test('the token is shown to the endpoint alone: same scheme, host and port', () => {
  const token = () => 'hf_x'
  expect(tokenHeader(new URL('https://huggingface.co/a'), {}, token)).toEqual({
    authorization: 'Bearer hf_x',
  })
  for (const url of [
    'http://huggingface.co/a',
    'https://huggingface.co:8443/a',
    'https://cdn.huggingface.co/a',
    'https://evil.example/',
  ])
    expect(tokenHeader(new URL(url), {}, token)).toEqual({})
  expect(
    tokenHeader(new URL('https://huggingface.co/a'), { HF_ENDPOINT: 'https://mirror.example' }, token),
  ).toEqual({})
})

test('values name the own folder and other variables as in Python', () => {
  const env = { HOME: '/home/me', DISK: '/data' }
  expect(expanded('~/x', env)).toBe('/home/me/x')
  expect(expanded(['$DISK/a/$', '{DISK}b/$NONE'].join(''), env)).toBe('/data/a//datab/$NONE')
  expect(expanded('', env)).toBeNull()
  expect(huggingFaceCache({ ...env, HF_HOME: '$DISK/hf' })).toBe('/data/hf/hub')
  expect(huggingFaceCache({ ...env, HF_HUB_CACHE: '~/a', HUGGINGFACE_HUB_CACHE: '/b' })).toBe('/home/me/a')
  expect(huggingFaceCache({ ...env, HUGGINGFACE_HUB_CACHE: '/b' })).toBe('/b')
  expect(huggingFaceCache({ ...env, XDG_CACHE_HOME: '/c' })).toBe('/c/huggingface/hub')
})

test('TRANSFORMERS_OFFLINE forbids the network as HF_HUB_OFFLINE does', () => {
  expect(isOffline({ TRANSFORMERS_OFFLINE: '1' })).toBe(true)
  expect(isOffline({ TRANSFORMERS_OFFLINE: 'no' })).toBe(false)
})
