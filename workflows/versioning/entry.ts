/** Entry of the workflow bundle: all workflows with their versioning behaviour. */
import { setWorkflowOptions } from '@temporalio/workflow'
import { entriesOf } from '../../shared/keys-of.ts'
import * as workflows from '../index.ts'
import { versioning } from './behaviors.ts'

type Workflows = { [Type in keyof typeof workflows]: (...args: never[]) => Promise<unknown> }

for (const [type, workflow] of entriesOf<Workflows>(workflows)) {
  setWorkflowOptions({ versioningBehavior: versioning[type].behavior }, workflow)
}

export * from '../index.ts'
