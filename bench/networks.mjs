/** Says which networks are measured: Birder's by their own names, and those of transformers by the names that peers/transformers_net.py gives them. */

const OF_TRANSFORMERS = ['dinov3-s16', 'siglip2-b16']

/** Tells whether Python makes the file, as transformers writes it, with a config.json beside it. */
export function isOfTransformers(network) {
  return OF_TRANSFORMERS.includes(network)
}

/** Gives the network that `--models` means: a letter is a size of DINOv2 with registers. */
export function networkNamed(model) {
  return isOfTransformers(model) ? model : `vit_reg4_${model}14_nps_ls`
}

/** Gives what a load has to be told beside the file. */
export function hintsOf(network) {
  return isOfTransformers(network) ? {} : { network }
}
