/**
 * The context of a page from its request: the language, and the address to which the switch of the language leads back.
 */
import type { Request, Response } from 'express'
import { defaultLanguage, type Language } from '../../messages/languages.ts'
import { textsOf } from '../../messages/texts.ts'
import { requestContextOf } from '../http/request-context.ts'
import type { PageContext } from '../pages/layout.tsx'
import { chosenLanguage } from './request-language.ts'

/**
 * @param of of an account that a link names, where nobody is signed in
 * @returns the context of a page in the language chosen on our pages, else of the account, else that the browser asks
 * for
 */
export function pageContextOf(request: Request, response: Response, supportMail: string, of?: Language): PageContext {
  const requestContext = requestContextOf(response)
  const { caller, language: accepted, template } = requestContext
  const ofAccount = caller.kind === 'visitor' ? caller.language : of
  // Operators' pages are English.
  const isConsole = template.startsWith('/console')
  const language = isConsole ? defaultLanguage : (chosenLanguage(request.get('cookie')) ?? ofAccount ?? accepted)
  requestContext.pageLanguage = language
  // The switch leads back by GET, which the address of a form need not have.
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const address = isRead && !isConsole ? request.originalUrl : undefined
  return { supportMail, texts: textsOf(language), address }
}
