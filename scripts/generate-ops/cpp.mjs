/** Writes the operation in C++: enumerations, structures, and the reader of the numbers that TypeScript writes. */
import { camelCase, countNumbers, fieldsOf, membersOf } from './table.mjs'

const ENUM_NAMES = {
  activation: 'Activation',
  combination: 'Combine',
  weightOperand: 'WeightOperand',
  scoreBias: 'ScoreBias',
  keyMask: 'KeyMask',
  headFusion: 'HeadFusion',
  routing: 'Routing',
  format: 'Format',
  precision: 'Precision',
  normKind: 'NormKind',
}
const STRUCT_NAMES = { slot: 'SlotRef', norm: 'NormRef', packed: 'PackedRef' }
const NUMBER_TYPES = {
  offset: 'long',
  count: 'long',
  rows: 'long',
  constant: 'long',
  real: 'float',
  flag: 'bool',
}
const READERS = { long: 'whole', float: 'real', bool: 'flag' }

function typeOf(type) {
  return STRUCT_NAMES[type] ?? ENUM_NAMES[type] ?? NUMBER_TYPES[type]
}

function readerOfType(type) {
  if (type in STRUCT_NAMES) return `${type}()`
  const name = typeOf(type)
  return name in READERS ? `${READERS[name]}()` : `as<${name}>()`
}

function enumOf(name, members) {
  return `enum class ${name} : int {\n${members.map((member) => `  ${camelCase(member)},\n`).join('')}};`
}

function structOf(name, members) {
  return `struct ${name} {\n${members.map(([member, type]) => `  ${typeOf(type)} ${member};\n`).join('')}};`
}

/** A list for the preprocessor, so that whoever needs a case for each of them has no list of its own. */
function listOf(name, members) {
  return `#define ${name}(X) \\\n${members.map((member) => `  X(${camelCase(member)})`).join(' \\\n')}`
}

export function headerOf(table) {
  const kinds = Object.keys(table.OPS)
  const op = fieldsOf(table).map(({ name, type, meaning }) => `  // ${meaning}\n  ${typeOf(type)} ${name};\n`)
  return `#pragma once

namespace plumage {

${enumOf('OpKind', kinds)}
${listOf('PLUMAGE_OP_KINDS', kinds)}

${Object.entries(ENUM_NAMES)
  .map(([type, name]) => enumOf(name, membersOf(table, type)))
  .join('\n\n')}
${listOf('PLUMAGE_ACTIVATIONS', membersOf(table, 'activation'))}
constexpr int PRECISIONS = ${table.PRECISIONS.length};

// Offsets count floats from where slots or weights begin, for one image; -1 stands for none. A slot without rows is none.
${Object.entries(table.PARTS)
  .map(([type, parts]) => structOf(STRUCT_NAMES[type], Object.entries(parts)))
  .join('\n\n')}

struct Op {
  OpKind kind;
${op.join('')}};

constexpr int OP_FIELDS = ${countNumbers(table)};
// Reads OP_FIELDS numbers.
Op readOp(const double* fields);

}  // namespace plumage
`
}

export function readerOf(table) {
  const readStruct = ([type, parts]) => `  ${STRUCT_NAMES[type]} ${type}() {
    ${STRUCT_NAMES[type]} ref;
${Object.entries(parts)
  .map(([part, partType]) => `    ref.${part} = ${readerOfType(partType)};\n`)
  .join('')}    return ref;
  }
`
  return `#include "ops.h"

namespace plumage {

namespace {

struct FieldReader {
  const double* at;
  long whole() { return static_cast<long>(*at++); }
  float real() { return static_cast<float>(*at++); }
  bool flag() { return *at++ != 0; }
  // The way leads over a whole number, because a double beyond int may not be cast to it. What int cannot hold is no member.
  template <typename Enumeration>
  Enumeration as() {
    const long value = whole();
    return static_cast<Enumeration>(value == static_cast<int>(value) ? static_cast<int>(value) : -1);
  }
${Object.entries(table.PARTS).map(readStruct).join('')}};

}  // namespace

Op readOp(const double* fields) {
  FieldReader read{fields};
  Op op;
  op.kind = read.as<OpKind>();
${fieldsOf(table)
  .map(({ name, type }) => `  op.${name} = read.${readerOfType(type)};\n`)
  .join('')}  return op;
}

}  // namespace plumage
`
}
