/**
 * `npm run dev`: as `npm start`, with its data; a saved file is live a few seconds later, in about two on an idle machine. Temporal, PostgreSQL and the
 * simulators go on running. What does not compile is said, and the next save tries again.
 */
import { startEmbedded } from './start-embedded.ts'

await startEmbedded({ reload: true })
