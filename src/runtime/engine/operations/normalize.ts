import { later } from '../../kernels/instruction';
import type { SoftmaxName } from '../../program/operations/normalize';
import type { Lowering } from '../lowering';
import { arranged, eachGroup, eachRun, inSlots } from '../runs';

export const affine: Lowering<'affine'> = {
  emit({ plan, numbers }, { scale, shift }, [x], y) {
    eachRun(plan, 'multiply', y, arranged(plan, x, y), plan.constant(inSlots(numbers(scale), y.layout)));
    eachRun(plan, 'add', y, y, plan.constant(inSlots(numbers(shift), y.layout)));
  },
};

export const normalize: Lowering<'normalize' | 'rms'> = {
  layout: 'sideBySide',
  emit({ plan, numbers }, { op, groups, epsilon, ...names }, [given], y) {
    const x = arranged(plan, given, y);
    const scale = plan.constant(inSlots(numbers(names.scale), y.layout));
    const shift = plan.constant(inSlots(numbers(names.shift), y.layout));
    eachGroup(plan, y, groups, (slot) => ({
      op,
      a: x.operand(slot),
      b: later(scale, slot),
      weights: shift.offset + slot,
      parameter: epsilon,
    }));
  },
};

export const softmax: Lowering<SoftmaxName> = {
  layout: 'sideBySide',
  emit({ plan }, { op, groups }, [given], y) {
    const x = arranged(plan, given, y);
    eachGroup(plan, y, groups, (slot) => ({ op, a: x.operand(slot) }));
  },
};
