import { Op } from '../../kernels/instruction';
import { getMask } from '../../mask';
import type { ConvArgs } from '../../program/program';
import type { Assembler } from './assembler';
import type { FeatureCache } from './feature-cache';

const NONE = Number.NEGATIVE_INFINITY;

/**
 * A masked convolution from features x to y. The rows above and the pixels to the left are summed once a pixel, for all outputs: a row's
 * cached features lie side by side, so each kernel row is one product. The centre follows step by step, from the inputs known by then;
 * where all outputs have one step, in one product with the pixels to the left.
 */
export function addConvolution(
  assembler: Assembler,
  { kernel, bias, maskType, imageChannels }: ConvArgs,
  x: FeatureCache,
  y: FeatureCache,
  isRelu: boolean,
): void {
  const [kernelRows, columns, featuresIn, featuresOut] = kernel.shape as [number, number, number, number];
  const rows = (kernelRows >> 1) + 1; // the causal ones
  const left = columns >> 1;
  const inSlots = x.layout.slots;
  const outSlots = y.layout.slots;
  const packed = assembler.reserve(rows * columns * inSlots * outSlots).offset; // [rows,columns,in slots,out slots]
  const biases = assembler.reserve(outSlots);

  assembler.fills.push((heap) => {
    const { values: mask } = getMask({
      kernelSize: [kernelRows, columns],
      featuresIn,
      featuresOut,
      maskType,
      imageChannels,
    });
    const values = assembler.numbers(kernel);
    for (let from = 0; from < rows * columns * featuresIn * featuresOut; from++) {
      const o = from % featuresOut;
      const i = Math.floor(from / featuresOut) % featuresIn;
      const tap = Math.floor(from / (featuresOut * featuresIn));
      const input = tap * inSlots + (x.layout.slotOf[i] as number);
      if (mask[from] === 1) {
        heap[packed + input * outSlots + (y.layout.slotOf[o] as number)] = values[from] as number;
      }
    }
    const biasValues = bias === undefined ? [] : assembler.numbers(bias);
    for (let o = 0; o < biasValues.length; o++) {
      heap[biases.offset + (y.layout.slotOf[o] as number)] = biasValues[o] as number;
    }
  });

  const { runs } = y.layout;
  const isOneRun = runs.length === 1;
  const rowFloats = columns * inSlots * outSlots;
  const present = packed + (rows - 1) * rowFloats; // the kernel's row on the present pixel
  const past = Array.from({ length: rows - 1 }, (_, r) => ({
    a: x.operand(0, rows - 1 - r, left),
    weights: packed + r * rowFloats,
    inputs: columns * inSlots,
  }));
  if (left > 0 && !isOneRun) {
    past.push({ a: x.operand(0, 0, left), weights: present, inputs: left * inSlots });
  }
  const sums = past.length > 0 ? assembler.reserveForImages(1, outSlots) : biases; // what earlier pixels contribute, [images,out slots]
  for (const [i, { a, weights, inputs }] of past.entries()) {
    const b = i === 0 ? biases : sums;
    assembler.emit(0, { op: Op.product, y: sums, a, b, length: outSlots, weights, weightStride: outSlots, inputs, least: NONE }); // biome-ignore format: one call
  }

  const before = isOneRun ? left : 0; // pixels to the left that come with the centre
  for (const {
    range: [from, to],
    step,
  } of runs) {
    assembler.emit(step, {
      op: Op.product,
      y: y.operand(from),
      a: x.operand(0, 0, before),
      b: { ...sums, offset: sums.offset + from },
      length: to - from,
      weights: present + (left - before) * inSlots * outSlots + from,
      weightStride: outSlots,
      inputs: before * inSlots + x.layout.slotsKnown(step),
      least: isRelu ? 0 : NONE,
    });
  }
}
