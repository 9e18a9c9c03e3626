/** Copies of the workflows' bundle, each with one change of the kind that a release must not make unnoticed. */
import { houseMutants } from './house-mutants.ts'
import { orderMutants } from './order-mutants.ts'
import { personMutants } from './person-mutants.ts'

export interface Mutant {
  name: string
  /** a line of the bundle, which has to be there exactly once, and what takes its place */
  line: string
  replacement: string
  /** it changes what most runs of its workflow do first */
  first?: true
  /** scenarios of which a kept history must not replay any more */
  caughtBy: string[]
}

export const mutants: Mutant[] = [...orderMutants, ...personMutants, ...houseMutants]
