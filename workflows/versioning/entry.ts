/** Entry of the workflow bundle: all workflows with their versioning behaviour. */
import { setWorkflowOptions } from '@temporalio/workflow'
import * as workflows from '../index.ts'
import { versioning, type WorkflowType } from './behaviors.ts'

for (const [type, workflow] of Object.entries<(...args: never[]) => Promise<unknown>>(workflows)) {
  setWorkflowOptions({ versioningBehavior: versioning[type as WorkflowType].behavior }, workflow)
}

export * from '../index.ts'
