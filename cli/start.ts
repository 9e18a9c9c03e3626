/**
 * `npm start`: everything, ready for requests. In production that is API and worker, each in a process of its own; else
 * the embedded stack, whose code production never loads.
 */
await (process.env.NODE_ENV === 'production' ? import('./start-production.ts') : import('./start-embedded.ts'))

export {}
