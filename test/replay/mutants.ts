/** Mutants of the workflow bundle, each with one change that breaks the replay of open runs. */
import { houseMutants } from './house-mutants.ts'
import { orderMutants } from './order-mutants.ts'
import { personMutants } from './person-mutants.ts'

export interface Mutant {
  name: string
  /** code that the bundle has exactly once, and that is replaced */
  line: string
  replacement: string
  /** changes what most runs of the workflow do first */
  first?: true
  /** scenarios whose kept histories must not replay with this mutant */
  caughtBy: string[]
}

export const mutants: Mutant[] = [...orderMutants, ...personMutants, ...houseMutants]
