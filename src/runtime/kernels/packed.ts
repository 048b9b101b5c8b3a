import { fromNormal16 } from './float16';

// Packed weights, in float16 or as integers, lie in vectors of 16 bytes, as those of `product` do: block by block of
// outputs, [blocks][inputs][vector]. As a vector has two or four times as many outputs, each of its four lanes of 32 bits
// holds those of output o, o + 4, and so on, from the lowest bits up, so that shifts of whole lanes unpack them.

type Numbers = Float32Array | Uint16Array | Int8Array;

/** How many outputs' weights there are in a vector. */
export const outputsOf = ({ BYTES_PER_ELEMENT }: Numbers): number => 16 / BYTES_PER_ELEMENT;

/** A product of one image computes so many outputs together, for which there must be weights. */
export const TOGETHER = 32;

/** Where the weight of an output is in its vector. */
export function placeInVector({ BYTES_PER_ELEMENT }: Numbers, output: number): number {
  const each = 4 / BYTES_PER_ELEMENT; // in a lane
  return (output & 3) * each + ((output >> 2) & (each - 1));
}

/** The weights of outputs o to o + 3 as float32, [inputs,4]. */
export function packedWeights(
  {
    heap,
    weights,
    weightStride,
    inputs,
    c: scales,
  }: Record<'weights' | 'weightStride' | 'inputs' | 'c', number> & { readonly heap: Float32Array },
  Packed: Uint16ArrayConstructor | Int8ArrayConstructor,
  o: number,
): Float32Array {
  const each = 4 / Packed.BYTES_PER_ELEMENT;
  const block = weights + Math.floor(o / (4 * each)) * weightStride;
  const all = new Packed(heap.buffer as ArrayBuffer, 4 * block, 4 * each * inputs);
  const own = all.filter((_, i: number) => i % each === ((o >> 2) & (each - 1)));
  if (own instanceof Uint16Array) return fromNormal16(own);
  return Float32Array.from(own, (integer, i) => integer * (heap[scales + o + (i & 3)] as number));
}
