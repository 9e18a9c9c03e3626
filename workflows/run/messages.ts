/**
 * All signals, updates and queries come by these functions. A message stays in the history: a handler that throws over
 * one which it did not expect would fail each workflow task of the run for good. So each message is checked before its
 * handler sees it.
 */
import type { QueryDefinition, SignalDefinition, UpdateDefinition } from '@temporalio/common'
import { CancellationScope, log, setHandler } from '@temporalio/workflow'
import { failure } from '../../shared/failures.ts'
import { propertyOf } from '../../shared/keys-of.ts'

/** Whether the input of a message is of the expected form. zod is no package of the workflow bundle. */
export type Guard<Input> = (input: unknown) => input is Input

/** Takes a signal. One of another form is left out and logged, since nobody waits for an answer. */
export function onSignal<Input>(
  definition: SignalDefinition<[Input]> | SignalDefinition<[]>,
  guard: Guard<Input>,
  handler: (input: Input) => void | Promise<void>,
): void {
  setHandler(definition as SignalDefinition<unknown[]>, (...inputs: unknown[]) => {
    const input = onlyOf(inputs)
    if (guard(input)) return handled(() => handler(input))
    log.warn('a signal is not of the expected form', { signal: definition.name })
  })
}

/**
 * Takes an update. Its validator refuses one of another form, and one that `allow` throws for.
 * @param allow throws a failure when the update is not possible now; synchronous, because the SDK waits for no
 * validator
 */
export function onUpdate<Result, Input>(
  definition: UpdateDefinition<Result, [Input]> | UpdateDefinition<Result, []>,
  guard: Guard<Input>,
  handler: (input: Input) => Promise<Result> | Result,
  allow: () => void = () => undefined,
): void {
  setHandler(
    definition as UpdateDefinition<Result, unknown[]>,
    (...inputs: unknown[]) => handled(() => handler(onlyOf(inputs) as Input)),
    {
      validator: (...inputs: unknown[]) => {
        if (!guard(onlyOf(inputs))) throw failure('MessageUnreadable', { code: definition.name })
        allow()
      },
    },
  )
}

/** Takes a query. It has no input, and anything given is left out. */
export function onQuery<Result>(definition: QueryDefinition<Result>, handler: () => Result): void {
  setHandler(definition, () => handler())
}

/**
 * Orders and deletions go on after "Request cancellation" of the Web UI: what their handlers call would fail from then
 * on.
 */
function handled<Result>(handle: () => Promise<Result> | Result): Promise<Result> | Result {
  const isCancelled = CancellationScope.current().consideredCancelled
  return isCancelled ? CancellationScope.nonCancellable(async () => handle()) : handle()
}

/** The input of a message; an array, which no guard takes, where there are several. */
const onlyOf = (inputs: unknown[]): unknown => (inputs.length > 1 ? inputs : inputs[0])

/** For messages without input. Programs without an empty list of arguments send null. */
export const nothing: Guard<undefined> = (input): input is undefined => input === undefined || input === null

type Fields<Input> = { readonly [Name in keyof Input]-?: Guard<Input[Name]> }

/** Accepts an object with these fields. Other fields are ignored: a newer sender may add some. */
export function objectOf<Input extends object>(fields: Fields<Input>): Guard<Input> {
  const guards = Object.entries<Guard<unknown>>(fields)
  return (input): input is Input =>
    typeof input === 'object' &&
    input !== null &&
    !Array.isArray(input) &&
    guards.every(([name, guard]) => guard(propertyOf(input, name)))
}

/** Accepts one of these words. */
export const oneOf =
  <Word extends string>(words: readonly Word[]): Guard<Word> =>
  (input): input is Word =>
    words.some((word) => word === input)

export const trueOrFalse: Guard<boolean> = (input): input is boolean => typeof input === 'boolean'

/** A name or an id of a few hundred characters at most. */
export const shortText: Guard<string> = (input): input is string =>
  typeof input === 'string' && input.length <= 300 && input !== '' && input.trim() === input

/** An id that was made here. */
export const uuid: Guard<string> = (input): input is string =>
  typeof input === 'string' && /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(input)

export const optional =
  <Input>(guard: Guard<Input>): Guard<Input | undefined> =>
  (input): input is Input | undefined =>
    input === undefined || guard(input)
