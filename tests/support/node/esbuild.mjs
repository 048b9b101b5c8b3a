import { createRequire } from 'node:module';

const { resolve } = createRequire(import.meta.url);

/** The esbuild that tsup has. */
export const esbuild = createRequire(resolve('tsup'))('esbuild');
