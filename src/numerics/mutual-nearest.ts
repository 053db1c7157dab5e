/** Finds for each row of a table of similarities the most similar column, and for each column the most similar row; the table is seen a few rows at a time. */

/** Holds the best partner of each row or column, and how much better it is than the next. */
export interface Nearest {
  /** Numbers the best partner; the lower number is taken of equal ones. */
  readonly index: Int32Array
  /** Is its similarity. */
  readonly best: Float32Array
  /** Is the similarity of the second best; minus infinity where there is none. */
  readonly second: Float32Array
}

/** Collects the best partners while rows of the table pass, first to last. */
export class MutualNearest {
  /** [N1] says what is best for each row. */
  readonly rows: Nearest
  /** [N2] says what is best for each column. */
  readonly columns: Nearest

  constructor(rows: number, columns: number) {
    this.rows = noneFound(rows)
    this.columns = noneFound(columns)
  }

  /** Takes the next rows of the table, [block, N2], of which `first` is the first one's number. */
  add(block: Float32Array, first: number): void {
    const columns = this.columns.index.length
    for (let at = 0, row = first; at < block.length; row++) {
      for (let column = 0; column < columns; column++, at++) {
        found(this.rows, row, column, block[at])
        found(this.columns, column, row, block[at])
      }
    }
  }
}

function noneFound(count: number): Nearest {
  return {
    index: new Int32Array(count).fill(-1),
    best: new Float32Array(count).fill(Number.NEGATIVE_INFINITY),
    second: new Float32Array(count).fill(Number.NEGATIVE_INFINITY),
  }
}

function found({ index, best, second }: Nearest, of: number, partner: number, similarity: number): void {
  if (similarity > best[of]) {
    second[of] = best[of]
    best[of] = similarity
    index[of] = partner
  } else if (similarity > second[of]) second[of] = similarity
}
