/**
 * Makes a hierarchy of density of the shortest tree, keeps of it the splits into groups of some size, and chooses groups (Campello, Moulavi and Sander 2013;
 * McInnes and Healy, Accelerated hierarchical density based clustering, 2017): computed as scikit-learn's `HDBSCAN` and the `hdbscan` package do.
 */
import { DisjointSets } from './disjoint-sets.js'
import { sortedOrder } from './sorted-order.js'
import type { Edges } from './spanning-tree.js'

/** Holds, in order from the root, what falls out of groups: group 0 is the root, and a group has a smaller number than those within it. */
export interface CondensedTree {
  /** Counts the groups, the root with them. */
  readonly groups: number
  /** [groups] Is -1 for the root. */
  readonly parents: Int32Array
  /** [groups] Is the density, 1 / distance, at which it parts from its parent. */
  readonly births: Float64Array
  /** [groups] Counts its rows. */
  readonly sizes: Int32Array
  /** [N] Is the smallest group that a row was in. */
  readonly groupOf: Int32Array
  /** [N] Is the density at which it left that group. */
  readonly leaves: Float64Array
}

/** Is a tree of joins: node N + i joins two earlier ones at `lengths[i]`. */
interface Joins {
  readonly left: Int32Array
  readonly right: Int32Array
  readonly lengths: Float32Array
  readonly sizes: Int32Array
}

/** Lengths that differ by no more than this share are one, since they come from products in float32. */
const TIE = 1e-6

/**
 * Takes the edges of one tree over `total` rows. A split counts where two parts or more have `least` rows, 2 or more; smaller parts fall out of the group. What is
 * joined at one length is joined at once: a core distance is the length of several edges, and the order in which a tree holds them says nothing. (Packages that
 * join two by two give other groups for another order of the same rows.)
 */
export function condense(edges: Edges, total: number, least: number): CondensedTree {
  const joins = joinsOf(edges, total)
  const sizeOf = (node: number) => (node < total ? 1 : joins.sizes[node - total])
  const parents = [-1]
  const births = [0]
  const groupSizes = [total]
  const group = new Int32Array(2 * total - 1)
  /** Is the density at which a node fell out of its group, or -1. */
  const leaves = new Float64Array(2 * total - 1).fill(-1)
  const isWithin = new Uint8Array(total - 1)
  // Nodes are joined later than their parts, so that walking backwards meets parents first.
  for (let join = total - 2; join >= 0; join--) {
    if (isWithin[join] === 1) continue
    const node = total + join
    const isOut = leaves[node] >= 0
    const density = isOut ? leaves[node] : 1 / joins.lengths[join]
    const parts = isOut ? [joins.left[join], joins.right[join]] : partsAt(join, joins, total, isWithin)
    const isSplit = !isOut && parts.filter((part) => sizeOf(part) >= least).length > 1
    for (const part of parts) {
      const isSmall = sizeOf(part) < least
      group[part] = isSplit && !isSmall ? parents.length : group[node]
      if (isOut || isSmall) leaves[part] = density
      else if (isSplit) {
        parents.push(group[node])
        births.push(density)
        groupSizes.push(sizeOf(part))
      }
    }
  }
  return {
    groups: parents.length,
    parents: Int32Array.from(parents),
    births: Float64Array.from(births),
    sizes: Int32Array.from(groupSizes),
    groupOf: group.slice(0, total),
    leaves: leaves.slice(0, total),
  }
}

/** Gives all parts that are joined at the length of a join, and marks the joins among them. */
function partsAt(
  join: number,
  { left, right, lengths }: Joins,
  total: number,
  isWithin: Uint8Array,
): number[] {
  const length = lengths[join] * (1 - TIE)
  const parts: number[] = []
  const open = [right[join], left[join]]
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const inner = part - total
    if (inner < 0 || lengths[inner] < length) parts.push(part)
    else {
      isWithin[inner] = 1
      open.push(right[inner], left[inner])
    }
  }
  return parts
}

function joinsOf({ from, to, lengths }: Edges, total: number): Joins {
  const sets = new DisjointSets(total)
  const nodeOf = Int32Array.from({ length: total }, (_, row) => row)
  const joins: Joins = {
    left: new Int32Array(total - 1),
    right: new Int32Array(total - 1),
    lengths: new Float32Array(total - 1),
    sizes: new Int32Array(total - 1),
  }
  let join = 0
  for (const edge of sortedOrder(Float32Array.from(lengths))) {
    const [a, b] = [sets.find(from[edge]), sets.find(to[edge])]
    joins.left[join] = nodeOf[a]
    joins.right[join] = nodeOf[b]
    joins.lengths[join] = lengths[edge]
    sets.join(a, b)
    joins.sizes[join] = sets.sizeOf(a)
    nodeOf[sets.find(a)] = total + join
    join++
  }
  return joins
}

/** Says which groups are taken: those of most excess of mass, or the smallest. The root is none, since all rows together are no group. */
export type GroupChoice = 'mass' | 'leaf'

/** Gives for each group the taken one that it lies in or is, or -1. */
export function chooseGroups(tree: CondensedTree, choice: GroupChoice): Int32Array {
  const isTaken = choice === 'leaf' ? smallestOf(tree) : heaviestOf(tree)
  const taken = new Int32Array(tree.groups).fill(-1)
  for (let group = 1; group < tree.groups; group++)
    taken[group] =
      taken[tree.parents[group]] >= 0 ? taken[tree.parents[group]] : isTaken[group] === 1 ? group : -1
  return taken
}

function smallestOf({ groups, parents }: CondensedTree): Uint8Array {
  const isSmallest = new Uint8Array(groups).fill(1)
  for (let group = 1; group < groups; group++) isSmallest[parents[group]] = 0
  isSmallest[0] = 0
  return isSmallest
}

/** A group is kept where it lasts longer, row for row, than all that are taken within it. */
function heaviestOf(tree: CondensedTree): Uint8Array {
  const { groups, parents } = tree
  const masses = massesOf(tree)
  const within = new Float64Array(groups)
  const isTaken = new Uint8Array(groups)
  for (let group = groups - 1; group > 0; group--) {
    isTaken[group] = within[group] > masses[group] ? 0 : 1
    within[parents[group]] += Math.max(within[group], masses[group])
  }
  return isTaken
}

/** Sums over the rows of each group for how much density they stay in it. */
function massesOf({ groups, parents, births, sizes, groupOf, leaves }: CondensedTree): Float64Array {
  const masses = new Float64Array(groups)
  for (let group = 1; group < groups; group++)
    masses[parents[group]] += (births[group] - births[parents[group]]) * sizes[group]
  for (let row = 0; row < groupOf.length; row++) masses[groupOf[row]] += leaves[row] - births[groupOf[row]]
  return masses
}

/** Gives for each group the density at which the last of it left it. */
export function deathsOf({ groups, parents, births, groupOf, leaves }: CondensedTree): Float64Array {
  const deaths = new Float64Array(groups)
  for (let group = 1; group < groups; group++)
    deaths[parents[group]] = Math.max(deaths[parents[group]], births[group])
  for (let row = 0; row < groupOf.length; row++)
    deaths[groupOf[row]] = Math.max(deaths[groupOf[row]], leaves[row])
  return deaths
}
