/** `index.js` for programs that `require`: Node before 20.19 cannot take a module by it. */
const { default: createFetchClient } = require('openapi-fetch')

exports.createAmaClient = ({ baseUrl, token }) =>
  createFetchClient({ baseUrl, headers: { authorization: `Bearer ${token}` } })
