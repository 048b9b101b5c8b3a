import { fromNormal16 } from './float16';

// Packed weights are halves, see float16.ts, that are multiplied by a factor of their output: so are weights of float16, and of
// integers with scales. They lie in vectors of eight outputs, block by block, [blocks][inputs][8]. Each lane of 32 bits holds
// those of outputs o and o + 4, so that shifts of whole lanes unpack them.

/** The outputs of a vector. */
export const OUTPUTS = 8;

/** A product of one image computes so many outputs together, for which there must be weights. */
export const TOGETHER = 32;

/** Where the weight of an output is in its vector. */
export const placeInVector = (output: number): number => 2 * (output & 3) + ((output >> 2) & 1);

/** The weights of outputs o to o + 3 as float32, [inputs,4]. */
export function unpackedWeights(
  {
    heap,
    weights,
    weightStride,
    inputs,
    c,
  }: Record<'weights' | 'weightStride' | 'inputs' | 'c', number> & { readonly heap: Float32Array },
  o: number,
): Float32Array {
  const block = weights + (o >> 3) * weightStride;
  const all = new Uint16Array(heap.buffer, 4 * block, OUTPUTS * inputs);
  const own = fromNormal16(all.filter((_, i) => (i & 1) === ((o >> 2) & 1)));
  return own.map((half, i) => half * (heap[c + o + (i & 3)] as number));
}
