/** OWASP API Security Top 10, 2023. */
import { met, partly } from './row.ts'

export const apiTopTen = [
  met(
    'API1:2023',
    'Broken object level authorization',
    'A caller reaches rows of their account only; what is not theirs is not found.',
    'test/api/two-persons.test.ts',
    'test/attack/every-input.long.test.ts',
  ),
  met(
    'API2:2023',
    'Broken authentication',
    'Tokens by allow list, keys and links of 256 bits, limits on failures, two factors for operators.',
    'test/attack/token-forgeries.long.test.ts',
    'test/api/auth.test.ts',
    'test/operation/operator-persons.long.test.ts',
  ),
  met(
    'API3:2023',
    'Broken object property level authorization',
    'Strict schemas of bodies and answers.',
    'test/api/input/bad-input.test.ts',
    'test/orders/canary.test.ts',
  ),
  met(
    'API4:2023',
    'Unrestricted resource consumption',
    'Limits of requests, bodies, pages, durations and effects.',
    'test/attack/limits.test.ts',
    'test/api/allowances.long.test.ts',
    'test/api/input/hostile-bytes.long.test.ts',
    'test/api/deadlines.long.test.ts',
  ),
  met(
    'API5:2023',
    'Broken function level authorization',
    'Routes declare callers and permissions.',
    'test/api/two-persons.test.ts',
    'test/operation/operator-persons.long.test.ts',
  ),
  met(
    'API6:2023',
    'Unrestricted access to sensitive business flows',
    'Orders, resends and requests have allowances; unusual orders are reviewed.',
    'test/fraud/velocity.long.test.ts',
    'test/api/allowances.long.test.ts',
  ),
  met(
    'API7:2023',
    'Server side request forgery',
    'Webhook endpoints are addresses of the internet, at each look-up, without redirects.',
    'test/events/deliveries.long.test.ts',
  ),
  partly(
    'API8:2023',
    'Security misconfiguration',
    'Headers, methods, problems and settings are tested. TLS versions, outgoing connections and the storage of logs are up to who deploys.',
    'test/api/operation.long.test.ts',
    'test/config.test.ts',
    'test/attack/http-defences.test.ts',
  ),
  met(
    'API9:2023',
    'Improper inventory management',
    'The OpenAPI document is made from the routes, and nothing else is served; one version.',
    'test/api/operation.long.test.ts',
    'test/api/client.test.ts',
  ),
  met(
    'API10:2023',
    'Unsafe consumption of APIs',
    'Replies are parsed by schemas, limited in size and time, and never redirect; webhooks are hints.',
    'test/providers/large-replies.test.ts',
    'test/providers/http-request.test.ts',
    'test/attack/webhook-forgeries.long.test.ts',
  ),
]
