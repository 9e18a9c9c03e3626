/** All files of which programs are built: their contents by their paths relative to the root. */
export function readInputs(): Map<string, Buffer>

/**
 * The hash of the inputs, of the folder that built programs name in the addresses of their sources, and of this Node.
 */
export function hashOfInputs(inputs: ReadonlyMap<string, Buffer>, from?: string, node?: string): string

/** Builds the programs of these sources if they are not there. @returns their folder @throws if they do not build */
export function makePrograms(): Promise<string>

/** Loads a program from its built file. @param folder of built programs @param program its source */
export function loadBuilt(folder: string, program: string): Promise<unknown>

/** Where Node keeps what it has compiled of built programs, and deleted with them. @param folder of them */
export function compiledIn(folder: string): string

/**
 * The folder of the built programs of these sources, which are built if they are not there.
 * @throws if they do not build
 */
export function builtPrograms(): Promise<string>

/** Whether the packages that are built in are as they were. */
export function hasPackages(folder: string): boolean

/** Whether built programs are those of the sources as they are now. */
export function isCurrent(folder: string): boolean

/** Deletes all but the builds that were used last, and those that a process uses. @param current stays in any case */
export function deleteUnusedBuilds(cache: string, current: string): void
