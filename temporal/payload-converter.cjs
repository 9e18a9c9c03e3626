// Temporal loads this by path, in this process and into the workflow bundle: so CommonJS, and no other import.
const { defaultPayloadConverter } = require('@temporalio/common')

/** The value of a payload that is in no form that the SDK reads. A handler's check refuses it like any other text. */
const unreadableMarker = '[unreadable]'

/**
 * Never throws at a payload that another program has made: the history keeps a signal, so that its payload would fail
 * each workflow task of the run for good.
 */
exports.payloadConverter = {
  toPayload: (value, ...rest) => defaultPayloadConverter.toPayload(value, ...rest),
  fromPayload(payload, ...rest) {
    try {
      return defaultPayloadConverter.fromPayload(payload, ...rest)
    } catch {
      return unreadableMarker
    }
  },
}
