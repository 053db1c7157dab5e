import { expect, test } from 'vitest'
import { askAgain } from './ask-again.js'

test.each([
  // Has five letters, as what PostgreSQL calls its errors by.
  [Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write', errno: -32 }), 'unavailable'],
  [Object.assign(new Error('terminating connection'), { code: '57P01', severity: 'FATAL' }), 'unavailable'],
  [Object.assign(new Error('permission denied'), { code: '42501', severity: 'ERROR' }), 'refused'],
])('%s is asked again where it may pass', async (error, code) => {
  const ask = () => Promise.reject(error)
  await expect(askAgain(ask, { label: 'here', unavailableMs: 1 })).rejects.toMatchObject({ code })
})
