/** The common parts of the console's routes. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import type { NewOperatorAct } from '../../../db/operator/operator-acts.ts'
import type { FieldGroup } from '../../../policy/field-groups.ts'
import type { OperatorPermission } from '../../../policy/operators/operator-roles.ts'
import type { PromiseId } from '../../../policy/promises.ts'
import type { RequestIds } from '../../acts/recorded-acts.ts'
import { type ConsoleUser, noteEntry } from '../../http/caller.ts'
import type { FieldError } from '../../http/problem.ts'
import type { ProblemCode } from '../../http/problems.ts'
import { defineRoute, elsewhere, html, type ReplyHeaders, type Route } from '../../http/route.ts'
import { type ActPage, renderAct } from '../../pages/console/act.tsx'
import type { ConsoleFrame } from '../../pages/console/frame.tsx'
import type { WaysToSignIn } from '../../pages/console/sign-in/sign-in.tsx'
import { layoutHeaders } from '../../pages/layout.tsx'
import { endedNotice, noticeCookie, noticeIn } from '../../sign-in/notice-cookie.ts'
import { keysMaySignIn } from '../../sign-in/session-cookie.ts'
import { performAct, sentForm } from './perform-act.ts'

/** The answer of a form. */
export const done = { 303: elsewhere, 200: html } as const
/** The answers of a form that asks for a reason. */
const answers = { ...done, 422: { ...html, description: 'It was not done; the page says why' } } as const
export const headers = layoutHeaders({ forms: true })

/** Leads to another page once a form was taken (303). */
export const goTo = (path: string) => ({ status: 303 as const, headers: { Location: path } })

export const waysToSignIn = ({ config, operatorSignIn }: ApiContext): WaysToSignIn => ({
  keys: keysMaySignIn(config),
  openId: operatorSignIn !== undefined,
})

/**
 * Leads to the page that shows what was done, which says so once. Neither the home page nor one outside the console, such
 * as a receipt, would say it: the next page of the console would, about somebody else. @param did the last part of the path of the act
 */
export const goToDone = ({ config }: ApiContext, path: string, did: string) =>
  path.startsWith('/console/')
    ? {
        status: 303 as const,
        headers: { Location: path, 'Set-Cookie': noticeCookie(`${noticeOfAct}${did}`, config.PUBLIC_URL) },
      }
    : goTo(path)

const noticeOfAct = 'console-'

/** @param header of the request for a page that an act leads to */
export const frameOf = (
  { config, temporal }: ApiContext,
  { csrf, label }: ConsoleUser,
  header?: (name: string) => string | undefined,
): ConsoleFrame => ({
  supportMail: config.SUPPORT_MAIL,
  csrf,
  label,
  ui: { url: config.TEMPORAL_UI_URL, namespace: temporal.options.namespace },
  did: header && /^console-([a-z-]{1,40})$/.exec(noticeIn(header('cookie'), config.PUBLIC_URL) ?? '')?.[1],
})

/** The headers of a page that an act leads to: what it has said once is forgotten. */
export const headersOf = ({ config }: ApiContext, { did }: ConsoleFrame): ReplyHeaders =>
  did === undefined ? headers : { ...headers, 'Set-Cookie': endedNotice(config.PUBLIC_URL) }

/** An act of an operator that a form asks for, with its reason. */
interface FormAct<Params extends z.ZodObject, Subject, Fields extends z.ZodObject> {
  path: `/console/${string}`
  /** what it does: the summary of the route that does it */
  does: string
  /** the summary of the route with the form */
  asks?: string
  permission: OperatorPermission
  promises?: readonly PromiseId[]
  /** the personal data on the form */
  reads?: readonly FieldGroup[]
  largeBody?: 'texts'
  params: Params
  /** the further fields of its form, each with a default */
  fields: Fields
  /** whether its form has them */
  asksFields: boolean
  /** The order, account or task that it is about. @param sent undefined before the form is shown @throws Problem */
  find(params: z.output<Params>, caller: ConsoleUser, sent?: z.output<Fields>): Promise<Subject>
  /** the problems of `find`, beside `not_found`, before the form is shown */
  problems?: readonly ProblemCode[]
  /** the page that shows what the same form has done before, when that has ended what it is about */
  doneBefore?(params: z.output<Params>): Promise<string | undefined>
  /** whose personal data the form shows */
  aboutOf?(subject: Subject): readonly string[]
  /** the reason that the form suggests */
  reasonOf?(subject: Subject): string
  pageOf(subject: Subject, fields: z.output<Fields>): Omit<ActPage, 'once' | 'reason' | 'faults'>
  faultsOf?(subject: Subject, fields: z.output<Fields>): readonly FieldError[]
  entryOf(subject: Subject, given: Given<Fields>): Omit<NewOperatorAct, 'id' | 'operator' | 'at' | 'reason'>
  perform(subject: Subject, given: Given<Fields>, ids: RequestIds): Promise<void>
  /** the page that shows what was done */
  doneAt(params: z.output<Params>): string | Promise<string>
}

interface Given<Fields extends z.ZodObject> {
  caller: ConsoleUser
  reason: string
  fields: z.output<Fields>
}

/** For a form that asks for nothing but a reason. */
export const reasonAlone = { fields: z.strictObject({}), asksFields: false } as const

const sentWithFields = z.looseObject(sentForm.shape)

/**
 * The two routes of an act: its form, and what the form sends. A form that was refused is shown again, as it was typed.
 */
export function actRoutes<Params extends z.ZodObject, Subject, Fields extends z.ZodObject>(
  api: ApiContext,
  act: FormAct<Params, Subject, Fields>,
): Route[] {
  const { path, permission, does, fields: furtherFields, params: ids } = act

  const formOf = (
    subject: Subject,
    caller: ConsoleUser,
    typed: { once: string; reason: string; fields: z.output<Fields>; faults: FieldError[] },
  ): string => {
    const { once, reason, fields, faults } = typed
    return renderAct(frameOf(api, caller), { ...act.pageOf(subject, fields), once, reason, faults })
  }

  return [
    defineRoute({
      method: 'get',
      path,
      tag: 'console',
      summary: act.asks ?? `Asks for the reason: ${does}`,
      callers: ['console'],
      permission,
      ...(act.reads && { reads: act.reads }),
      params: ids,
      responses: { 200: html },
      problems: ['not_found', ...(act.problems ?? [])],
      async handle({ params, caller }) {
        const subject = await act.find(ids.parse(params), caller)
        const reason = act.reasonOf?.(subject) ?? ''
        const typed = { once: randomUUID(), reason, fields: furtherFields.parse({}), faults: [] }
        const about = act.aboutOf?.(subject) ?? []
        return { status: 200, headers, about, raw: formOf(subject, caller, typed) }
      },
    }),
    defineRoute({
      method: 'post',
      path,
      tag: 'console',
      summary: does,
      ...(act.promises && { promises: act.promises }),
      callers: ['console'],
      permission,
      ...(act.reads && { reads: act.reads }),
      form: true,
      ...(act.largeBody && { largeBody: act.largeBody }),
      params: ids,
      body: z.strictObject({ ...sentForm.shape, ...(act.asksFields && furtherFields.shape) }),
      responses: answers,
      problems: ['not_found'],
      async handle({ params: sentParams, body, caller }) {
        const params = ids.parse(sentParams)
        const { once, reason, ...typed } = sentWithFields.parse(body)
        const fields = furtherFields.parse(typed)
        const doneBefore = await act.doneBefore?.(params)
        if (doneBefore !== undefined) {
          noteEntry(caller)
          return goTo(doneBefore)
        }
        const subject = await act.find(params, caller, fields)
        const given = { caller, reason, fields }
        const content = { ...params, reason, ...(Object.keys(furtherFields.shape).length > 0 && { fields }) }
        const form = { operation: `POST ${path}`, once, content, faults: act.faultsOf?.(subject, fields) ?? [] }
        const faults = await performAct(api, caller, form, { ...act.entryOf(subject, given), reason }, (requestIds) =>
          act.perform(subject, given, requestIds),
        )
        if (faults.length === 0) return goToDone(api, await act.doneAt(params), path.slice(path.lastIndexOf('/') + 1))
        const about = act.aboutOf?.(subject) ?? []
        return { status: 422, headers, about, raw: formOf(subject, caller, { once, reason, fields, faults }) }
      },
    }),
  ]
}
