/** Shifts what a process takes for the time by `PLUMAGE_SKEW_MS`, and leaves the clock alone that only counts on: `node --import ./test/support/skew-clock.mjs`. */
const shift = Number(process.env.PLUMAGE_SKEW_MS)
const TrueDate = Date
globalThis.Date = class extends TrueDate {
  constructor(...values) {
    if (values.length === 0) super(TrueDate.now() + shift)
    else super(...values)
  }

  static now() {
    return TrueDate.now() + shift
  }
}
