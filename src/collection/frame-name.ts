/** Names frames of films as all outputs do: the film's path, then the time, as `clip.mp4#t=12.500`. */
export { filmOfNameOrNull, frameName } from '../work/work-input.js'
