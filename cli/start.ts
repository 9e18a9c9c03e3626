/**
 * `npm start`: everything, ready for requests. In production that is API and worker, each in a process of its own; else
 * the embedded stack, whose code production never loads.
 */
if (process.env.NODE_ENV === 'production') await import('./start-production.ts')
else await import('./start-embedded.ts').then(({ startEmbedded }) => startEmbedded())

export {}
