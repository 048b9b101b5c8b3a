/** gain direction / ||direction||, where the norm is taken over each slice along the first axis, as in PyTorch. */
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
