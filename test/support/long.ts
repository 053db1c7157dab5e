/**
 * Tells the long run (`npm test -- --long`) from the one that each change has. What only the long one tries repeats, on further paths or in further programs, what the short one
 * has shown on one: each kernel of every path is compared with the reference in both.
 */
export const LONG = process.env.PLUMAGE_LONG_TESTS === '1'
