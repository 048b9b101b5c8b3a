/**
 * Permutes the axes of row-major numbers: axis i of the result is axis order[i] of the input.
 */
export function permuted(
  numbers: ArrayLike<number>,
  shape: readonly number[],
  order: readonly number[],
): Float32Array {
  if (order.every((axis, i) => axis === i)) return new Float32Array(numbers);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const to = new Float32Array(numbers.length);
  let next = 0;
  const copy = (axis: number, from: number) => {
    const [size, stride] = [shape[order[axis] as number] as number, strides[order[axis] as number] as number];
    if (axis === order.length - 1) {
      for (let i = 0; i < size; i++) to[next++] = numbers[from + i * stride] as number;
    } else {
      for (let i = 0; i < size; i++) copy(axis + 1, from + i * stride);
    }
  };
  copy(0, 0);
  return to;
}
