/** The Chromium that tests run in; undefined where none is installed. */
export const chromiumPath: string | undefined;

/** Without WebGL and WebGPU: their emulation would draw the pages, too, and take half as long again. */
export const chromiumArguments: string[];

/** With both, in software. */
export const gpuArguments: string[];
