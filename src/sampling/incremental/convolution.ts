import { Op } from '../../kernels/instruction';
import { getMask } from '../../mask';
import { type ConvArgs, kernelShape } from '../../program/program';
import { ROW } from '../../program/steps';
import type { Assembler } from './assembler';
import type { FeatureCache } from './feature-cache';

const NONE = Number.NEGATIVE_INFINITY;

/** Inputs that lie side by side, and where their weights begin. */
interface Window {
  /** Rows above the present one. */
  readonly above: number;
  /** Columns to the left of the present one. */
  readonly left: number;
  readonly inputs: number;
  readonly weights: number;
}

/**
 * A masked convolution from features x to y. The rows above and the pixels to the left are summed once a pixel, for all outputs: a row's
 * cached features lie side by side, so each kernel row is one product. The centre follows step by step, from the inputs known by then;
 * where all outputs have one step, in one product with the pixels to the left. Outputs that are known for the whole row are products of each kernel row,
 * added up in place.
 */
export function addConvolution(
  assembler: Assembler,
  args: ConvArgs,
  x: FeatureCache,
  y: FeatureCache,
  isRelu: boolean,
): void {
  const [kernelRows, columns] = kernelShape(args);
  const rows = (kernelRows >> 1) + 1; // the causal ones
  const left = columns >> 1;
  const inSlots = x.layout.slots;
  const outSlots = y.layout.slots;
  const { packed, biases } = packWeights(assembler, args, x, y);
  const rowFloats = columns * inSlots * outSlots;
  const present = packed + (rows - 1) * rowFloats; // the kernel's row on the present pixel
  const least = isRelu ? 0 : NONE;
  const above: Window[] = Array.from({ length: rows - 1 }, (_, r) => ({
    above: rows - 1 - r,
    left,
    inputs: columns * inSlots,
    weights: packed + r * rowFloats,
  }));
  const product = { op: Op.product, weightStride: outSlots } as const;

  const ofRow = y.layout.runs.filter(({ step }) => step === ROW);
  const ofPixel = y.layout.runs.filter(({ step }) => step !== ROW);
  for (const {
    range: [from, to],
    step,
  } of ofRow) {
    const inputs = args.vertical
      ? args.maskType === 'A'
        ? 0
        : columns * inSlots
      : left * inSlots + x.layout.slotsKnown(step);
    const windows = [...above, { above: 0, left, inputs, weights: present }];
    for (const [i, window] of windows.entries()) {
      assembler.emit(step, {
        ...product,
        y: y.operand(from),
        a: x.operand(0, window.above, window.left),
        b: i === 0 ? { ...biases, offset: biases.offset + from } : y.operand(from),
        length: to - from,
        weights: window.weights + from,
        inputs: window.inputs,
        least: i === windows.length - 1 ? least : NONE,
      });
    }
  }

  if (ofPixel.length === 0) return;
  const isOneRun = y.layout.runs.length === 1;
  const past =
    left > 0 && !isOneRun ? [...above, { above: 0, left, inputs: left * inSlots, weights: present }] : above;
  const sums = past.length > 0 ? assembler.reserveForImages(1, outSlots) : biases; // what earlier pixels contribute, [images,out slots]
  for (const [i, { weights, inputs, ...place }] of past.entries()) {
    const b = i === 0 ? biases : sums;
    const a = x.operand(0, place.above, place.left);
    assembler.emit(0, { ...product, y: sums, a, b, length: outSlots, weights, inputs, least: NONE });
  }
  const before = isOneRun ? left : 0; // pixels to the left that come with the centre
  for (const {
    range: [from, to],
    step,
  } of ofPixel) {
    assembler.emit(step, {
      ...product,
      y: y.operand(from),
      a: x.operand(0, 0, before),
      b: { ...sums, offset: sums.offset + from },
      length: to - from,
      weights: present + (left - before) * inSlots * outSlots + from,
      inputs: before * inSlots + x.layout.slotsKnown(step),
      least,
    });
  }
}

/** Has the masked kernel written as [rows,columns,in slots,out slots], of the causal rows, and the bias as [out slots]. */
function packWeights(assembler: Assembler, args: ConvArgs, x: FeatureCache, y: FeatureCache) {
  const { kernel, bias, maskType, imageChannels, vertical = false } = args;
  const [kernelRows, columns, featuresIn, featuresOut] = kernelShape(args);
  const taps = ((kernelRows >> 1) + 1) * columns;
  const inSlots = x.layout.slots;
  const outSlots = y.layout.slots;
  const packed = assembler.reserve(taps * inSlots * outSlots).offset;
  const biases = assembler.reserve(outSlots);
  assembler.fills.push((heap) => {
    const { values: mask } = getMask({ kernelSize: [kernelRows, columns], featuresIn, featuresOut, maskType, imageChannels, vertical }); // biome-ignore format: one call
    const values = assembler.numbers(kernel);
    for (let from = 0; from < taps * featuresIn * featuresOut; from++) {
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
  return { packed, biases };
}
