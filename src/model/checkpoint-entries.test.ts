import { expect, test } from 'vitest'
import { TINY_NETWORKS, tinyCheckpoint } from '../../test/support/tiny-networks.js'
import { CHECKPOINT_ENTRIES, ENTRY_WORDS, judgeBeside } from './checkpoint-entries.js'

const judge = (...dropped: string[]) =>
  judgeBeside({ ...tinyCheckpoint(TINY_NETWORKS.birder), dropped }, { own: null })

test('what trainers are known to write passes, and so does what has one of the words', () => {
  expect(() => judge(...Object.keys(CHECKPOINT_ENTRIES.fields))).not.toThrow()
  for (const { words } of ENTRY_WORDS)
    for (const word of words) expect(() => judge(`my_${word}`)).not.toThrow()
})

test.each(['train_resolution', 'model.lora.A', 'frobnicate', 'pixel_mean', 'teacher_norm'])(
  '%s is refused by name',
  (name) => {
    expect(() => judge(name)).toThrow(
      expect.objectContaining({ code: 'unknown-field', message: expect.stringContaining(name) }),
    )
  },
)

test.each(['best_acc1', 'wandbRunId', 'teacher.dino_head.norm.weight', 'logit_scale', 'ln_final.weight'])(
  '%s changes no feature',
  (name) => {
    expect(() => judge(name)).not.toThrow()
  },
)
