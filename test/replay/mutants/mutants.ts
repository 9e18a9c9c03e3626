/** Mutants of the workflow bundle, each with one fault that breaks the replay of open runs. */
import type { Mutation } from '../../mutations/mutation.ts'
import { operationMutants } from './operation-mutants.ts'
import { orderMutants } from './order-mutants.ts'
import { personMutants } from './person-mutants.ts'

export interface Mutant {
  name: string
  mutation: Mutation
  /** changes what most runs of the workflow do first */
  first?: true
  /** scenarios whose kept histories must not replay with this mutant */
  caughtBy: string[]
}

export const mutants: Mutant[] = [...orderMutants, ...personMutants, ...operationMutants]
