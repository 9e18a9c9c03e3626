/**
 * `npm start`: starts API and worker. In production each is a process; otherwise the embedded stack is started, whose
 * code production never loads.
 */
if (process.env.NODE_ENV === 'production') await import('./start-production.ts')
else await import('./start-embedded.ts').then(({ startEmbedded }) => startEmbedded())

export {}
