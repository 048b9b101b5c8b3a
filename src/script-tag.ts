// The entry point of the file for script tags: all of the library but its trainer, whose workers are ES modules.

export * from './index';

/** Takes the place of that of `index.ts`. */
export async function createTrainer(): Promise<never> {
  throw new Error("createTrainer: wanted the package's ES modules, got the file for script tags");
}
