/** A plugin of esbuild. */
export const ownKernels: import('esbuild').Plugin;
