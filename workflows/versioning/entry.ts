/** Entry of the workflow bundle: all workflows with their versioning behaviour. */
import { setWorkflowOptions } from '@temporalio/workflow'
import { entriesOf } from '../../shared/keys-of.ts'
import * as workflows from '../index.ts'
import { versioning, type WorkflowType } from './behaviors.ts'

for (const [type, workflow] of entriesOf<Record<WorkflowType, (...args: never[]) => Promise<unknown>>>(workflows)) {
  setWorkflowOptions({ versioningBehavior: versioning[type].behavior }, workflow)
}

export * from '../index.ts'
