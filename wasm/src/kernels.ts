// Holds the kernels of all operations by name, which dispatch.ts asks for. An operation has `<kind>`, which does one of its tasks, and `<kind>Tasks`, which
// counts them.
export * from './attention'
export * from './attention-weights'
export * from './maps'
export * from './product'
export * from './rows'
export * from './turn'
