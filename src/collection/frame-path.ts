/** Says how frames of films are called in a collection: as everywhere, by the film's path and a time. */
export { filmOfNameOrNull, frameName } from '../work/work-input.js'
