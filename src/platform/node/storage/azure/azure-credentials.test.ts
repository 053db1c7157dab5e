import { expect, test } from 'vitest'
import { findAzureAccount } from './azure-credentials.js'

test.each([
  ['UseDevelopmentStorage=true', 'devstoreaccount1', 'http://127.0.0.1:10000/devstoreaccount1'],
  ['AccountName=mine;AccountKey=a2V5', 'mine', 'https://mine.blob.core.windows.net/'],
  [
    'DefaultEndpointsProtocol=http;AccountName=mine;EndpointSuffix=core.chinacloudapi.cn;AccountKey=a2V5',
    'mine',
    'http://mine.blob.core.chinacloudapi.cn/',
  ],
])('the connection string %s', async (text, account, endpoint) => {
  const found = findAzureAccount({ AZURE_STORAGE_CONNECTION_STRING: text })
  expect([found.account, found.endpoint.href]).toEqual([account, endpoint])
  expect(await found.credentials()).toMatchObject({ kind: 'key' })
})

test('an account with a signature, or with nothing, for what is public', async () => {
  const account = { AZURE_STORAGE_ACCOUNT: 'mine' }
  const signed = findAzureAccount({ ...account, AZURE_STORAGE_SAS_TOKEN: '?sv=1&sig=2' })
  expect(await signed.credentials()).toEqual({ kind: 'signature', signature: 'sv=1&sig=2' })
  expect(await findAzureAccount({ ...account, AZURE_SKIP_SIGNATURE: 'true' }).credentials()).toBeNull()
})

test('an endpoint that is no address is told with one that would be', () => {
  const env = { AZURE_STORAGE_ACCOUNT: 'mine', AZURE_STORAGE_SERVICE_ENDPOINT: 'mine.example' }
  expect(() => findAzureAccount(env)).toThrow(
    /"mine\.example", expected an address like https:\/\/mine\.blob/,
  )
})
