/** The endpoints of the redaction preview. */
import type { Router } from 'express'
import type { Account } from './account.ts'
import { found } from './collection.ts'
import { pageRequest, record, text, textList } from './parameters.ts'
import { unknownPath } from './refusal.ts'
import type { Parts } from './routes.ts'

export function mountRedactions(router: Router, { account, protocol, redactions }: Parts): void {
  const path = '/v1/privacy/redaction_jobs'
  const job = (id: string, version: string | undefined) => {
    preview(account, version)
    return found(account.redactions, 'redaction_job', id)
  }
  protocol.endpoint(router, 'post', path, ['objects', 'validation_behavior'], ({ parameters, version }) => {
    preview(account, version)
    const objects = record(parameters, 'objects')
    const named = (kind: string): string[] => textList(objects, kind)
    return redactions.create(
      {
        charges: named('charges'),
        checkout_sessions: named('checkout_sessions'),
        customers: named('customers'),
        payment_intents: named('payment_intents'),
      },
      text(parameters, 'validation_behavior') ?? 'error',
    )
  })
  protocol.endpoint(router, 'get', `${path}/:id`, [], ({ id, version }) => redactions.look(job(id, version)))
  // docs.stripe.com/api/privacy/redaction-job-validation-error/list
  const pages = ['limit', 'starting_after', 'ending_before']
  protocol.endpoint(router, 'get', `${path}/:id/validation_errors`, pages, ({ id, version, parameters }) =>
    redactions.validationErrors(redactions.look(job(id, version)), pageRequest(parameters)),
  )
  protocol.endpoint(router, 'post', `${path}/:id/run`, [], ({ id, version }) =>
    redactions.move(job(id, version), ['ready'], 'redacting'),
  )
  protocol.endpoint(router, 'post', `${path}/:id/validate`, [], ({ id, version }) =>
    redactions.move(job(id, version), ['failed'], 'validating'),
  )
  protocol.endpoint(router, 'post', `${path}/:id/cancel`, [], ({ id, version }) =>
    redactions.move(job(id, version), ['ready', 'failed'], 'canceling'),
  )
}

/** @throws Refusal as for an unknown path, without the preview version or without access to the preview */
function preview(account: Account, version: string | undefined): void {
  if (account.settings.redactionAccess && version?.endsWith('.preview')) return
  throw unknownPath()
}
