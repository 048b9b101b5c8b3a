import type { Operand } from '../../kernels/instruction';
import { getMask } from '../../mask';
import { type ConvArgs, kernelShape } from '../../program/program';
import type { Layout } from './layout';
import type { Plan } from './plan';

/**
 * Has the masked kernel written as [rows,columns,in slots,out slots], of the causal rows, and the bias as
 * [out slots].
 */
export function packWeights(
  plan: Plan,
  args: ConvArgs,
  x: Layout,
  y: Layout,
): { packed: number; biases: Operand } {
  const { kernel, bias, ...masked } = args;
  const [kernelRows, columns, featuresIn, featuresOut] = kernelShape(args);
  const kernelSize: [number, number] = [kernelRows, columns];
  const taps = ((kernelRows >> 1) + 1) * columns;
  const inSlots = x.slots;
  const outSlots = y.slots;
  const packed = plan.reserve(taps * inSlots * outSlots).offset;
  const biases = plan.reserve(outSlots);
  plan.fills.push((heap) => {
    const { values: mask } = getMask({ ...masked, kernelSize, featuresIn, featuresOut });
    const values = plan.numbers(kernel);
    for (let from = 0; from < taps * featuresIn * featuresOut; from++) {
      const o = from % featuresOut;
      const i = Math.floor(from / featuresOut) % featuresIn;
      const tap = Math.floor(from / (featuresOut * featuresIn));
      const input = tap * inSlots + (x.slotOf[i] as number);
      if (mask[from] === 1) {
        heap[packed + input * outSlots + (y.slotOf[o] as number)] = values[from] as number;
      }
    }
    const biasValues = bias === undefined ? [] : plan.numbers(bias);
    for (let o = 0; o < biasValues.length; o++) {
      heap[biases.offset + (y.slotOf[o] as number)] = biasValues[o] as number;
    }
  });
  return { packed, biases };
}
