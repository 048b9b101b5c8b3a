import type { Instruction } from '../../kernels/instruction';
import type { SoftmaxName } from '../../program/operations/normalize';
import type { Lowering } from '../lowering';
import type { FeatureCache, Plan } from '../plan';
import { arranged, eachRun, inSlots } from '../runs';

export const affine: Lowering<'affine'> = {
  emit({ plan, numbers }, { scale, shift }, [x], y) {
    eachRun(plan, 'multiply', y, arranged(plan, x, y), plan.constant(inSlots(numbers(scale), y.layout)));
    eachRun(plan, 'add', y, y, plan.constant(inSlots(numbers(shift), y.layout)));
  },
};

export const normalize: Lowering<'normalize' | 'rms'> = {
  layout: 'sideBySide',
  emit({ plan, numbers }, node, [x], y) {
    const scale = plan.constant(inSlots(numbers(node.scale), y.layout));
    const shift = plan.constant(inSlots(numbers(node.shift), y.layout));
    eachGroup(plan, node, x, y, (slot) => ({
      b: { ...scale, offset: scale.offset + slot },
      weights: shift.offset + slot,
      parameter: node.epsilon,
    }));
  },
};

export const softmax: Lowering<SoftmaxName> = {
  layout: 'sideBySide',
  emit: ({ plan }, node, [x], y) => eachGroup(plan, node, x, y),
};

/** One instruction for each group. Its features are ready at the same time and contiguous. */
function eachGroup(
  plan: Plan,
  { op, size, groups }: { op: 'normalize' | 'rms' | SoftmaxName; size: number; groups: number },
  x: FeatureCache,
  y: FeatureCache,
  more: (slot: number) => Partial<Instruction> = () => ({}),
): void {
  const { times, slotOf } = y.layout;
  const like = arranged(plan, x, y);
  const length = size / groups;
  for (let feature = 0; feature < size; feature += length) {
    const slot = slotOf[feature] as number;
    const code = { y: y.operand(slot), a: like.operand(slot), length };
    plan.emit(times[feature] as number, { op, ...code, ...more(slot) }, y.places);
  }
}
