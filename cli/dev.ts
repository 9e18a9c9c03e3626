/**
 * `npm run dev`: as `npm start` and with its data. API and worker restart when a file is saved, which takes about two
 * seconds on an idle machine; Temporal, PostgreSQL and the simulators keep running. After an error the next save
 * retries.
 */
import { startEmbedded } from './start-embedded.ts'

await startEmbedded({ reload: true })
