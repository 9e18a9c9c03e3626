/** The types of index.d.ts, for programs that are compiled to `require`. */
import type { AmaClient, ClientOptions } from './index.js' with { 'resolution-mode': 'import' }

export type { AmaClient, ClientOptions, components, paths } from './index.js' with { 'resolution-mode': 'import' }
export declare function createAmaClient(options: ClientOptions): AmaClient
