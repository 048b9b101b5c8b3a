/** So many floats, rounded up to whole vectors of the kernels, of four each. */
export const wholeVectors = (floats: number): number => 4 * Math.ceil(floats / 4);
