import { type Instruction, Op } from '../../kernels/instruction';
import type { SoftmaxName } from '../../program/operations/normalize';
import type { Lowering } from '../lowering';
import type { FeatureCache, Plan } from '../plan';
import { arranged, eachRun, inSlots } from '../runs';

export const affine: Lowering<'affine'> = {
  emit({ plan, numbers }, { scale, shift }, operands, y) {
    const [x] = arranged(plan, operands, y);
    eachRun(plan, 'multiply', y, x, plan.constant(inSlots(numbers(scale), y.layout)));
    eachRun(plan, 'add', y, y, plan.constant(inSlots(numbers(shift), y.layout)));
  },
};

export const normalize: Lowering<'normalize'> = {
  layout: 'sideBySide',
  emit({ plan, numbers }, node, operands, y) {
    const scale = plan.constant(inSlots(numbers(node.scale), y.layout));
    const shift = plan.constant(inSlots(numbers(node.shift), y.layout));
    eachGroup(plan, node, arranged(plan, operands, y)[0], y, (slot) => ({
      b: { ...scale, offset: scale.offset + slot },
      weights: shift.offset + slot,
      parameter: node.epsilon,
    }));
  },
};

export const softmax: Lowering<SoftmaxName> = {
  layout: 'sideBySide',
  emit({ plan }, node, operands, y) {
    eachGroup(plan, node, arranged(plan, operands, y)[0], y);
  },
};

/** One instruction for each group. Its features are ready at the same time and contiguous, in x as well as in y. */
function eachGroup(
  plan: Plan,
  { op, size, groups }: { op: 'normalize' | SoftmaxName; size: number; groups: number },
  x: FeatureCache,
  y: FeatureCache,
  more: (slot: number) => Partial<Instruction> = () => ({}),
): void {
  const { times, slotOf } = y.layout;
  const length = size / groups;
  for (let feature = 0; feature < size; feature += length) {
    const slot = slotOf[feature] as number;
    const code = { y: y.operand(slot), a: x.operand(slot), length };
    plan.emit(times[feature] as number, { op: Op[op], ...code, ...more(slot) }, y.places);
  }
}
