/** Says in words, and as JSON, how well classes are told apart. */

import type { ClassReport, Judged } from '../collection/labels/judge-classes.js'
import type { ClassMeasures, Interval } from '../numerics/labelled/class-metrics.js'
import type { PairedTest } from '../numerics/labelled/paired-tests.js'
import { counted } from './counted.js'
import { printable } from './progress.js'

/** Tells all that is known of a head, a line for each. */
export function reportLines(
  report: ClassReport,
  names: readonly string[],
  copies: number,
): readonly string[] {
  const { votes, probe, folds, fewShot } = report
  const count = new Set(folds).size
  const { plain, scaled } = probe.calibration
  const lines = [
    `${folds.length} photos of ${names.length} classes, ${count} folds; in brackets where the figures of 95 of 100 other samples would lie`,
    ...measureLines(`${votes.neighbours} nearest neighbours`, votes),
    ...measureLines(`linear probe, C ${shortNumber(probe.c)} (least log loss on the same folds)`, probe),
    `  among the two likeliest ${share(probe.top2.share)} ${between(probe.top2.interval)}, log loss ${probe.loss.toFixed(3)}`,
    `  calibration error ${share(plain.error)}; ${share(scaled.error)} with a temperature of ${shortNumber(probe.temperature)}, which the head has`,
    'of the probe: class, photos, precision, recall, F1',
    ...names.map((name, at) => classLine(name, probe.classes[at])),
    ...fewShot.map(
      ({ shots, accuracy, deviation }) =>
        `${shots} of each class: ${share(accuracy)} (deviation of draws ${share(deviation)})`,
    ),
  ]
  if (votes.ties > 0)
    lines.push(
      `${counted(votes.ties, 'photo')} with a last neighbour as near as the next: the order of photos decided which one votes`,
    )
  if (copies > 0)
    lines.push(
      `${counted(copies, 'photo')} with the same pixels as another: figures are better than they should be where the two are in different folds`,
    )
  return lines
}

function measureLines(title: string, { measures, intervals }: Judged): readonly string[] {
  const of = (name: keyof typeof measures) => `${share(measures[name])} ${between(intervals[name])}`
  return [
    `${title}:`,
    `  accuracy ${of('accuracy')}, macro F1 ${of('macroF1')}, balanced accuracy ${of('balancedAccuracy')}`,
  ]
}

function classLine(name: string, measures: ClassMeasures | undefined): string {
  if (measures === undefined) throw new Error(`The class ${name} was not measured.`)
  const { support, precision, recall, f1 } = measures
  return `  ${printable(name)}  ${support}  ${share(precision)}  ${share(recall)}  ${share(f1)}`
}

/** Tells whether the second of two models is better. */
export function pairedLine(
  what: string,
  { difference, interval, p, onlyFirst, onlySecond }: PairedTest,
): string {
  const points = (value: number) => `${value >= 0 ? '+' : ''}${(100 * value).toFixed(1)}`
  const verdict = p < 0.05 ? 'they differ' : 'these photos do not tell them apart'
  return `${what}: the second has ${points(difference)} points [${points(interval[0])}, ${points(interval[1])}]; ${onlyFirst} photos only the first has right, ${onlySecond} only the second; McNemar p ${p.toPrecision(2)}: ${verdict}`
}

/** Gives the report as plain data. */
export function reportJson(report: ClassReport, names: readonly string[], copies: number): object {
  const { votes, probe, folds, fewShot } = report
  const plain = ({ measures, intervals, classes, confusion }: Judged) => ({
    ...measures,
    intervals,
    classes: Object.fromEntries(names.map((name, at) => [name, classes[at]])),
    confusion: names.map((_, row) =>
      Array.from(confusion.subarray(row * names.length, (row + 1) * names.length)),
    ),
  })
  return {
    photos: folds.length,
    classes: names,
    folds: new Set(folds).size,
    copies,
    neighbours: { count: votes.neighbours, ties: votes.ties, ...plain(votes) },
    probe: {
      c: probe.c,
      tried: probe.tried,
      temperature: probe.temperature,
      logLoss: probe.loss,
      top2: probe.top2,
      calibration: probe.calibration,
      ...plain(probe),
    },
    fewShot,
  }
}

function share(value: number): string {
  return `${(100 * value).toFixed(1)} %`
}

function between([low, high]: Interval): string {
  return `[${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`
}

function shortNumber(value: number): string {
  return String(Number(value.toPrecision(3)))
}
