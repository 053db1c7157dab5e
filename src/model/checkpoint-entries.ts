/**
 * Judges what a checkpoint holds beside its network, so that nothing is left aside in silence: records of training and modules that stand behind the
 * network or beside it change no feature; anything else could, and is refused by its name.
 */
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import { CheckpointError } from '../checkpoint/checkpoint-error.js'
import { counts, each, type FieldTable, nothing } from './fields.js'

const RECORD = 'records how training went'
const ARGUMENTS = 'is what training was told; the network is read from its tensors'
const RESUMED = 'is needed to go on training'
const OTHER = 'is another network of the file: which one is taken is said'
const BEHIND = 'stands behind the network or beside it: features come before it'

/** Lists the entries that well-known trainers write. */
export const CHECKPOINT_ENTRIES: FieldTable = {
  title: 'Entries of a checkpoint, as trainers write them',
  source:
    "PyTorch's tutorial and ImageNet example; timm/utils/checkpoint_saver.py; lightning/pytorch/trainer/connectors/checkpoint_connector.py; " +
    'DINO, DINOv2, iBOT, MAE, DeiT, MoCo v3 and I-JEPA: main_*.py and their savers; mmengine/runner/runner.py; torchvision/references; safetensors',
  prefix: '',
  fields: {
    ...each(
      ['state_dict_ema', 'model_ema', 'ema', 'ema_state_dict', 'params_ema'],
      counts(
        'is the network that is taken; an average whose tensors lie in a list, without names, is refused',
      ),
    ),
    ...each(['state_dict', 'model', 'model_state_dict'], nothing(OTHER)),
    ...each(
      ['student', 'teacher', 'encoder', 'target_encoder', 'current_model_state', 'net', 'params'],
      nothing(OTHER),
    ),
    ...each(
      [
        'epoch',
        'iteration',
        'iter',
        'global_step',
        'step',
        'metric',
        'loss',
        'best_acc1',
        'best_prec1',
        'message_hub',
      ],
      nothing(RECORD),
    ),
    ...each(['arch', 'name', 'version', 'meta', 'pytorch-lightning_version'], nothing(RECORD)),
    ...each(['batch_size', 'world_size', 'lr'], nothing(RECORD)),
    ...each(
      [
        'args',
        'cfg',
        'config',
        'hparams_name',
        'hyper_parameters',
        'datamodule_hparams_name',
        'datamodule_hyper_parameters',
      ],
      nothing(ARGUMENTS),
    ),
    ...each(
      [
        'optimizer',
        'optimizer_state_dict',
        'optimizer_states',
        'opt',
        'scheduler',
        'lr_scheduler',
        'lr_schedulers',
        'param_schedulers',
        'scaler',
        'amp_scaler',
        'amp',
        'fp16_scaler',
        'native_amp_scaling_state',
        'MixedPrecision',
        'loops',
        'callbacks',
        'averaging_state',
        'n_averaged',
        'dino_loss',
        'ibot_loss',
      ],
      nothing(RESUMED),
    ),
    ...each(['positional_embedding', 'token_embedding', 'ln_final', 'attn_mask'], nothing(BEHIND)),
    ...each(['predictor', 'dino_head', 'ibot_head', 'head', 'decoder'], nothing(BEHIND)),
    ...each(
      ['format', 'total_size', 'total_parameters'],
      nothing('is the safetensors library’s own, which says nothing of the network'),
    ),
  },
}

/** An entry with one of these words is of the kinds above, whatever trainer wrote it. */
const WORDS: readonly { readonly words: string; readonly why: string }[] = [
  {
    words:
      'epoch epochs iter iters iteration iterations step steps best last latest acc accuracy top metric metrics score scores prec precision ' +
      'recall auc miou iou map val valid validation train training trained trainer test eval history log logs logger time times timestamp date elapsed duration ' +
      'version versions commit git sha branch host hostname rank world gpu gpus device devices user author name run job slurm wandb tensorboard mlflow neptune ' +
      'experiment exp uuid id ids comment comments note notes description license citation url tag tags info meta metadata message messages seen samples ' +
      'batch batches counter count total progress stage phase fold split python torch pytorch lightning timm library framework package platform task ' +
      'created modified source origin origins readme title',
    why: RECORD,
  },
  {
    words:
      'args arguments argv cfg config configs conf hparams hparam hyper hyperparams hyperparameters params opts options arch flags command',
    why: ARGUMENTS,
  },
  {
    words:
      'optim optimizer optimizers optimiser opt opts lr wd sched scheduler schedulers schedule scaler amp fp rng seed random sampler data loader dataloader ' +
      'callback callbacks loop loops hook hooks saver savers checkpoint checkpoints checkpointer ckpt resume recovery early stopping patience monitor tracker ' +
      'warmup cooldown averaging averaged updates decay momentum temp temperature tau dataset datasets classes class labels label idx categories ' +
      'initted done finished',
    why: RESUMED,
  },
  { words: 'model models student teacher ema swa average net network encoder backbone state', why: OTHER },
  {
    words:
      'head heads classifier fc proj projection projector predictor decoder neck criterion center queue ptr prototypes discriminator text textual ' +
      'transformer loss losses logit logits linear probe probes aux auxiliary bbox seg',
    why: BEHIND,
  },
]

/** An entry with one of these words may change the features, unless it is of a module that stands behind the network. */
const COUNTING =
  /^(lora|adapters?|delta|prompts?|norm|normali[sz]er?|normali[sz]ation|mean|std|stats|pixels?|scale|offset|quant|quanti[sz]ed|mask|pruned|resolution|img|image|input|crop|interpolation|patch|patches|rope|num)$/

const BEHIND_WORDS = new Set(
  WORDS.filter(({ why }) => why === BEHIND).flatMap(({ words }) => words.split(' ')),
)
const KNOWN_WORDS = new Set(WORDS.flatMap(({ words }) => words.split(' ')))

/** Lists the words by what is left aside with them, for the documents. */
export const ENTRY_WORDS: readonly { readonly words: readonly string[]; readonly why: string }[] = WORDS.map(
  ({ words, why }) => ({ words: words.split(' '), why }),
)

interface EntryContext {
  /** Holds the entries that the dialect judges itself. */
  readonly own: FieldTable | null
  /** Names entries that the caller knows to change nothing. */
  readonly ignored?: readonly string[] | undefined
}

/** Throws `unknown-field` for what is not known to change nothing, unless a person has named the network among all that the file holds. */
export function judgeBeside(checkpoint: Checkpoint, { own, ignored = [] }: EntryContext): void {
  const { metadata, dropped, choice, label } = checkpoint
  if (choice?.asked) return
  const average = dropped.find(
    (name) => isAverage(name) && !isOtherNetwork(name, choice) && !ignored.includes(name),
  )
  if (average !== undefined) throw namelessAverage(checkpoint, average)
  for (const name of [...Object.keys(metadata), ...dropped]) {
    const isOwn = own !== null && Object.hasOwn(own.fields, name)
    if (isOwn || isKnownBeside(name) || isOtherNetwork(name, choice) || ignored.includes(name)) continue
    throw unknownEntry(checkpoint, name, label)
  }
}

const AVERAGE_WORDS = /^(ema|swa|shadow|averaged?|avg|polyak)$/
const MODEL_WORDS = /^(model|net|network|module|state|dict|params?|parameters|weights?)$/

/** What is called a moving average and is no network has its tensors in a list, as torch-ema and diffusers keep them: no name says which is which. */
function isAverage(name: string): boolean {
  const words = wordsOf(name)
  return (
    words.some((word) => AVERAGE_WORDS.test(word)) &&
    words.every((word) => AVERAGE_WORDS.test(word) || MODEL_WORDS.test(word))
  )
}

function isKnownBeside(name: string): boolean {
  if (Object.hasOwn(CHECKPOINT_ENTRIES.fields, name)) return true
  const [module = name] = name.split(/[./]/)
  const field = Object.hasOwn(CHECKPOINT_ENTRIES.fields, module)
    ? CHECKPOINT_ENTRIES.fields[module]
    : undefined
  if (field?.use === 'nothing' && field.why === BEHIND) return true
  const words = wordsOf(name)
  if (words.some((word) => BEHIND_WORDS.has(word))) return true
  return words.some((word) => KNOWN_WORDS.has(word)) && !words.some((word) => COUNTING.test(word))
}

/** What was not chosen is told with the choice, whatever it is called. */
function isOtherNetwork(name: string, choice: Checkpoint['choice']): boolean {
  const dotted = `.${name.replaceAll('/', '.').replace(/\.$/, '')}`
  return (choice?.others ?? []).some(
    (other) => `.${other}`.endsWith(dotted) || `.${other}`.startsWith(`${dotted}.`),
  )
}

/** `best_acc1` is `best acc`, and `teacher.dino_head.mlp.0.weight` is `teacher dino head mlp weight`. */
function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) => word.replace(/\d+$/, ''))
    .filter((word) => word !== '')
}

/** Gives the network that is taken by the name by which it is asked for. */
function entryOf({ wrapping, choice }: Checkpoint): string {
  return choice?.entry ?? (wrapping.replaceAll('/', '.').replace(/\.$/, '') || '.')
}

function namelessAverage(checkpoint: Checkpoint, name: string): CheckpointError {
  const entry = entryOf(checkpoint)
  return new CheckpointError(
    'unknown-field',
    `${checkpoint.label} holds ${name}, a moving average whose tensors have no names, beside the network that it was made of, which is not what is ` +
      'meant to be used. Copy the average into the network and save that (ema.copy_to(model.parameters()) in Python); or name the network ' +
      `as it is: entry: '${entry}' where a program loads it, --entry ${entry} on the command line.`,
  )
}

function unknownEntry(checkpoint: Checkpoint, name: string, label: string): CheckpointError {
  const entry = entryOf(checkpoint)
  return new CheckpointError(
    'unknown-field',
    `${label} holds ${name} beside its network, which is not known here, so what it changes is not known. If it changes no feature, say so: ` +
      `ignoreFields: ['${name}'] where a program loads it, --ignore-field ${name} on the command line; ` +
      `or name the network alone: entry: '${entry}', --entry ${entry}.`,
  )
}
