import { getMask } from '../../mask';
import type { ConvArgs } from '../../program/program';
import type { FeatureCache } from './feature-cache';
import type { Machine } from './machine';

/**
 * A masked convolution from features x to y. The rows above and the pixels to the left are summed once a pixel, for all outputs: a row's cached
 * features lie side by side, so each kernel row is one product. The centre follows step by step, from the inputs known by then.
 */
export function addConvolution(
  machine: Machine,
  { kernel, bias, maskType, imageChannels }: ConvArgs,
  x: FeatureCache,
  y: FeatureCache,
  isRelu: boolean,
): void {
  const { numImages } = machine;
  const [kernelRows, columns, featuresIn, featuresOut] = kernel.shape as [number, number, number, number];
  const rows = (kernelRows >> 1) + 1; // the causal ones
  const left = columns >> 1;
  const inSlots = x.layout.slots;
  const outSlots = y.layout.slots;
  const packed = machine.reserve(rows * columns * inSlots * outSlots); // [rows,columns,in slots,out slots]
  const biases = machine.reserve(outSlots);
  const sums = machine.reserve(numImages * outSlots); // [images,out slots]: what earlier pixels contribute

  machine.fills.push(({ heap }) => {
    const { values: mask } = getMask({
      kernelSize: [kernelRows, columns],
      featuresIn,
      featuresOut,
      maskType,
      imageChannels,
    });
    const values = machine.numbers(kernel);
    for (let from = 0; from < rows * columns * featuresIn * featuresOut; from++) {
      const o = from % featuresOut;
      const i = Math.floor(from / featuresOut) % featuresIn;
      const tap = Math.floor(from / (featuresOut * featuresIn));
      const input = tap * inSlots + (x.layout.slotOf[i] as number);
      if (mask[from] === 1)
        heap[packed + input * outSlots + (y.layout.slotOf[o] as number)] = values[from] as number;
    }
    const biasValues = bias === undefined ? [] : machine.numbers(bias);
    for (let o = 0; o < biasValues.length; o++) {
      heap[biases + (y.layout.slotOf[o] as number)] = biasValues[o] as number;
    }
  });

  const rowFloats = columns * inSlots * outSlots;
  const present = packed + (rows - 1) * rowFloats; // the kernel's row on the present pixel
  const past = Array.from({ length: rows - 1 }, (_, r) => ({
    above: rows - 1 - r,
    weights: packed + r * rowFloats,
    inputs: columns * inSlots,
  }));
  if (left > 0) past.push({ above: 0, weights: present, inputs: left * inSlots });
  for (const [i, { above, weights, inputs }] of past.entries()) {
    const [start, startStride] = i === 0 ? [biases, 0] : [sums, outSlots];
    machine.pixelActions.push(({ product }) => {
      const from = x.offset(above, left);
      product(sums, outSlots, start, startStride, from, x.imageStride, weights, outSlots, numImages, inputs, outSlots, NONE); // biome-ignore format: one call
    });
  }

  const [start, startStride] = past.length === 0 ? [biases, 0] : [sums, outSlots];
  const centre = present + left * inSlots * outSlots;
  const least = isRelu ? 0 : NONE;
  machine.eachRun(y, ([from, to], step) => {
    const known = x.layout.slotsKnown(step);
    const [begin, weights] = [start + from, centre + from];
    return ({ product }) =>
      product(y.here + from, y.imageStride, begin, startStride, x.here, x.imageStride, weights, outSlots, numImages, known, to - from, least); // biome-ignore format: one call
  });
}

const NONE = Number.NEGATIVE_INFINITY;
