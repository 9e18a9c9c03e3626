/**
 * Loads React's production build for any NODE_ENV: the development build takes 1.5 times as long for a mail. For
 * `--import`, before any other import of React. It is JavaScript, since Temporal's worker threads load it without tsx;
 * they render nothing, and a worker waits for their start.
 */
import { createRequire } from 'node:module'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  const require = createRequire(import.meta.url)
  const { NODE_ENV } = process.env
  process.env.NODE_ENV = 'production'
  for (const name of ['react', 'react/jsx-runtime', 'react-dom/server']) require(name)
  if (NODE_ENV === undefined) delete process.env.NODE_ENV
  else process.env.NODE_ENV = NODE_ENV
}
