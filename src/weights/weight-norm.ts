/** gain direction / ||direction|| of each of the parts into which the first axis splits a kernel, as PyTorch has it. */
export function weightNorm(direction: Float32Array, gain: Float32Array): Float32Array {
  const size = direction.length / gain.length;
  const kernel = new Float32Array(direction.length);
  for (const [i, length] of gain.entries()) {
    const part = direction.subarray(i * size, (i + 1) * size);
    const norm = Math.sqrt(part.reduce((sum, one) => sum + one * one, 0));
    kernel.set(
      part.map((one) => (length * one) / norm),
      i * size,
    );
  }
  return kernel;
}
