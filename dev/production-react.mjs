/**
 * Loads React as production has it, whatever NODE_ENV says: its development build takes half again as long for a mail.
 * For `--import`, before anything else asks for React. Plain JavaScript, since Temporal's worker threads load it too, and
 * without tsx.
 */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { NODE_ENV } = process.env
process.env.NODE_ENV = 'production'
for (const name of ['react', 'react/jsx-runtime', 'react-dom/server']) require(name)
if (NODE_ENV === undefined) delete process.env.NODE_ENV
else process.env.NODE_ENV = NODE_ENV
