// Temporal loads this by path, in this process and into the workflow bundle: so CommonJS, and no other import.
const { DefaultFailureConverter } = require('@temporalio/common')

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true })
