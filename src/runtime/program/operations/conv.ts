import { anything, checkDeclared, checked, integer, oneOf, optional, pair } from '../../core/arguments';
import { checkBoolean, checkFeatures, checkInteger, checkOneOf, throwTypeError } from '../../core/check';
import {
  featuresOfGroup,
  type KernelWindow,
  offsetOfTap,
  presents,
  seesBelow,
  visibilityAt,
} from '../../core/window';
import { wholeVectors } from '../../kernels/instruction';
import type { Nodes } from '../nodes';
import { checkShape, oneByOne, operation, type Read, weight, weightOrNone } from '../operation';
import { checkedKernelShape, checkLayerWeight, type Kernel, type LayerWeight } from '../weights';
import { pointwise } from './pointwise';

const atLeastOne = integer({ from: 1 });

const windowFields = {
  kernelSize: pair(atLeastOne),
  anchor: pair(anything<number>()),
  present: oneOf(...presents),
  imageChannels: atLeastOne,
  stride: oneOf(1, 2),
  transposed: checked(checkBoolean),
  dilation: optional(pair(atLeastOne)),
  groups: optional(atLeastOne),
};

export const conv = operation({
  name: 'conv',
  operands: 1,
  fields: { kernel: weight, bias: weightOrNone, window: checked(checkWindow) },
  size([x], { kernel, bias, window }, what) {
    const { kernelSize, imageChannels, stride, groups = 1 } = window;
    const featuresOut = kernel.shape[3] ?? 0;
    if (x.isConstant && (kernelSize[0] * kernelSize[1] > 1 || stride > 1)) {
      const wanted = '1x1 of stride 1, since its input is the same at every pixel';
      throwTypeError(`${what}: window`, wanted, `${kernelSize.join('x')} of stride ${stride}`);
    }
    const of = groups === 1 ? 'imageChannels' : 'groups * imageChannels';
    checkShape(`${what}: kernel`, kernel, [...kernelSize, x.size / groups, featuresOut]);
    checkFeatures(`${what}: input features`, x.size, groups * imageChannels, of);
    checkFeatures(`${what}: output features`, featuresOut, groups * imageChannels, of);
    if (bias !== null) checkShape(`${what}: bias`, bias, [featuresOut]);
    return featuresOut;
  },
  reads: ({ window, size }, [featuresIn = 0]) => readsOfWindow(window, featuresIn, size),
  scale: ({ window: { stride, transposed } }) => (transposed ? 1 / stride : stride),
  readsWholeMaps: ({ window }) => seesBelow(window),
  work({ window: { kernelSize, imageChannels, groups = 1 }, size }, [featuresIn = 0]) {
    const padded = (features: number) => imageChannels * wholeVectors(features / imageChannels); // each channel's group
    return kernelSize[0] * kernelSize[1] * padded(featuresIn / groups) * padded(size);
  },
});

/** What each tap sees, for the outputs of each channel and group if these differ. */
function readsOfWindow(window: KernelWindow, featuresIn: number, featuresOut: number): Read[] {
  const [rows, columns] = window.kernelSize;
  const { groups = 1 } = window;
  const reads: Read[] = [];
  for (let tap = 0; tap < rows * columns; tap++) {
    const [row, column] = [Math.floor(tap / columns), tap % columns];
    const visibility = visibilityAt(window, row, column);
    const at = offsetOfTap(window, row, column);
    if (groups === 1 && visibility === 'everything')
      reads.push({ features: [0, featuresOut], operand: 0, of: [0, featuresIn], at });
    else if (groups === featuresIn && groups === featuresOut && visibility !== 'nothing')
      reads.push({ ...oneByOne([0, featuresOut]), at });
    else if (visibility !== 'nothing') {
      for (let group = 0; group < groups; group++) {
        const inputs = featuresOfGroup(window, group, featuresIn);
        for (const [channel, features] of featuresOfGroup(window, group, featuresOut).entries()) {
          const seen = { everything: inputs.length, own: channel + 1, earlier: channel }[visibility];
          for (const of of inputs.slice(0, seen)) reads.push({ features, operand: 0, of, at });
        }
      }
    }
  }
  return reads;
}

function checkWindow(what: string, given: unknown): KernelWindow {
  if (typeof given !== 'object' || given === null) throwTypeError(what, 'a window from windowOf', given);
  checkDeclared(what, given, windowFields);
  const window = given as KernelWindow;
  const { kernelSize, anchor, stride, transposed, dilation } = window;
  for (const axis of [0, 1] as const) checkInteger(`${what}: anchor`, anchor[axis], 0, kernelSize[axis] - 1);
  const isStrided = stride !== 1 || transposed;
  if (seesBelow(window) && isStrided)
    throwTypeError(`${what}: stride`, '1, not transposed, for a window that sees rows below', stride);
  if (dilation && isStrided)
    throwTypeError(`${what}: dilation`, 'none with a stride, or transposed', dilation);
  return window;
}

export const convOps = <T>(nodes: Nodes<T>) => ({
  /**
   * A causal convolution, with zeros around the image: [N,H,W,in] -> [N,H,W,out], or [N,in] -> [N,out] with a
   * 1x1 kernel. Pass the whole kernel [rows,columns,in/groups,out], since the window's mask is applied here. A
   * window of stride 2 gives [N,H/2,W/2,out], or [N,2H,2W,out] if it is transposed. In incremental sampling,
   * a window that sees all sides of its pixel may only read features computed from conditions.
   */
  conv(
    x: T,
    kernel: Kernel,
    bias: LayerWeight | null,
    window: KernelWindow,
    activation: 'linear' | 'relu' = 'linear',
  ): T {
    checkOneOf('conv: activation', activation, ['linear', 'relu']);
    if (!Array.isArray(window?.anchor)) throwTypeError('conv: window', 'a window from windowOf', window);
    const [, , , featuresOut] = checkedKernelShape(kernel);
    if (bias !== null) checkLayerWeight('conv: bias', bias, ', or null');
    const y = nodes.add(conv, [x], {
      kernel: nodes.kernel(kernel, window),
      bias: bias && nodes.weight(bias, [featuresOut]),
      window,
    });
    return activation === 'relu' ? nodes.add(pointwise, [y], { fn: 'relu', parameter: 0 }) : y;
  },
});
