/** The Chromium that tests run in; undefined where none is installed. */
export const chromiumPath: string | undefined;

/** WebGL and WebGPU on software, and no connections of the browser's own. */
export const chromiumArguments: string[];
