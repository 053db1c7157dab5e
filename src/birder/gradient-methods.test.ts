import { expect, test } from 'vitest'
import { GradCAM, GuidedBackprop, TransformerAttribution } from './gradient-methods.js'

test.each([GradCAM, GuidedBackprop, TransformerAttribution])('%o is refused by name', (Tool) => {
  expect(() => new Tool()).toThrow(
    expect.objectContaining({ code: 'unsupported', message: expect.stringContaining(Tool.name) }),
  )
})
