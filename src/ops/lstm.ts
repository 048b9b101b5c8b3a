import {
  add,
  concat,
  mul,
  pad,
  reshape,
  reverse,
  sigmoid,
  slice,
  split,
  square,
  sub,
  type Tensor4D,
  tanh,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import { causalConv2d } from './causal-conv';
import { composedConv } from './composed-conv';
import { defineOperation, type Implementation } from './operation';

interface Inputs {
  /** What comes from the input, before the gates: [N,T,P,4F]. */
  readonly z: Tensor4D;
  /** [1,k,F,4F] */
  readonly kernel: Tensor4D;
}

interface Attributes {
  /** Groups that the features are in. */
  readonly imageChannels: number;
  /** Taps of the kernel that lie before the place itself. */
  readonly left: number;
  /** Whether the first step is the last line. */
  readonly fromEnd: boolean;
}

/** What the gradients need, all activated, features of all groups side by side. */
interface Saved {
  readonly kernel: Tensor4D;
  /** o, f and i, [N,T,P,3F] */
  readonly sigmoids: Tensor4D;
  /** g, [N,T,P,F] */
  readonly candidates: Tensor4D;
  /** c, [N,T,P,F] */
  readonly cells: Tensor4D;
  /** h, [N,T,P,F] */
  readonly states: Tensor4D;
}

/**
 * A convolutional LSTM over lines of places, one step a line. With h and c of the line before, zeros at first:
 *
 *     o, f, i = sigmoid, g = tanh of the four parts of z + h * kernel
 *     c = f c + i g
 *     h = o tanh(c)
 *
 * Where features are in groups, one a channel of the image, 4F features are o, f, i and g of the first group, then those of the
 * next. The gradient goes back through the steps by hand. What it takes of a step beside the convolution is computed for all
 * of them at once, from gates and cells that the forward pass saves: 6F numbers a place with the outputs.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, section 3.1,
 * equation 3.
 *
 * @param z [N,T,P,4F], of T lines of P places
 * @param kernel [1,k,F,4F], of which `left` taps lie before the place; zeros lie around a line
 * @returns h [N,T,P,F]
 */
export function lineLSTM(z: Tensor4D, kernel: Tensor4D, attributes: Attributes): Tensor4D {
  return operation({ z, kernel }, attributes);
}

const composed: Implementation<Inputs, Attributes, Saved, Tensor4D> = {
  forward({ z: grouped, kernel: groupedKernel }, attributes) {
    const { imageChannels } = attributes;
    const z = byGate(grouped, imageChannels); // [N,T,P,4F]
    const kernel = byGate(groupedKernel, imageChannels); // [1,k,F,4F]
    const steps: Step[] = [];
    for (const t of stepsOf(z, attributes)) {
      const before = steps.at(-1);
      steps.push(tidy(() => stepFrom(before, lineOf(z, t), kernel, attributes)));
    }
    if (attributes.fromEnd) steps.reverse();
    const all = (name: keyof Step) => joined(steps.map((step) => step[name])); // T of [N,1,P,..] -> [N,T,P,..]
    const states = all('states');
    const saved = { sigmoids: all('sigmoids'), candidates: all('candidates'), cells: all('cells') };
    return { y: states, saved: { ...saved, states, kernel: groupedKernel } };
  },
  gradients(dy, saved, attributes) {
    const [z, kernel] = tidy(() => gradients(dy, saved, attributes));
    return { z: () => z, kernel: () => kernel };
  },
};

/** Of one line, [N,1,P,..]. */
type Step = Omit<Saved, 'kernel'>;

function stepFrom(before: Step | undefined, line: Tensor4D, kernel: Tensor4D, { left }: Attributes): Step {
  const featuresOut = kernel.shape[3];
  const z =
    before === undefined
      ? line
      : add<Tensor4D>(line, causalConv2d(before.states, kernel, null, 'linear', left, kernel.shape[1])); // [N,1,P,4F]
  const [ofSigmoids, ofTanh] = split(z, [(3 * featuresOut) / 4, featuresOut / 4], 3) as [Tensor4D, Tensor4D]; // [N,1,P,3F], [N,1,P,F]
  const [sigmoids, candidates] = [sigmoid(ofSigmoids), tanh(ofTanh)];
  const [o, f, i] = split(sigmoids, 3, 3) as [Tensor4D, Tensor4D, Tensor4D]; // [N,1,P,F] each
  const fresh = mul<Tensor4D>(i, candidates);
  const cells = before === undefined ? fresh : add<Tensor4D>(mul(f, before.cells), fresh);
  return { sigmoids, candidates, cells, states: mul(o, tanh(cells)) };
}

/** Both at once, [N,T,P,4F] and [1,k,F,4F]: each needs all steps. */
function gradients(
  dy: Tensor4D,
  { kernel: grouped, sigmoids, candidates: g, cells, states }: Saved,
  attributes: Attributes,
): [z: Tensor4D, kernel: Tensor4D] {
  const { imageChannels, left } = attributes;
  const kernel = byGate(grouped, imageChannels); // [1,k,F,4F]
  const columns = kernel.shape[1];
  const turned = transpose(reverse(kernel, 1), [0, 1, 3, 2]) as Tensor4D; // [1,k,F,4F] -> [1,k,4F,F]
  const [o, f, i] = split(sigmoids, 3, 3) as [Tensor4D, Tensor4D, Tensor4D]; // [N,T,P,F] each
  const t = tanh(cells);
  const ofCell = mul<Tensor4D>(o, slopeOfTanh(t)); // of h for c
  const ofGates = concat(
    [
      mul(t, slopeOfSigmoid(o)),
      mul(before(cells, attributes), slopeOfSigmoid(f)),
      mul(g, slopeOfSigmoid(i)),
      mul(i, slopeOfTanh(g)),
    ],
    3,
  ) as Tensor4D; // of h for o, and of c for f, i and g before their activations, [N,T,P,4F]

  const slopes: Tensor4D[] = [];
  let carried: Tensor4D | undefined; // what c is to the line after
  for (const line of [...stepsOf(dy, attributes)].reverse()) {
    const after = slopes.at(-1);
    const [dz, next] = tidy(() => {
      const own = lineOf(dy, line);
      const dh =
        after === undefined
          ? own
          : add<Tensor4D>(own, causalConv2d(after, turned, null, 'linear', columns - 1 - left, columns)); // [N,1,P,4F] -> [N,1,P,F]
      const through = mul<Tensor4D>(dh, lineOf(ofCell, line));
      const dc = carried === undefined ? through : add<Tensor4D>(through, carried);
      const each = concat([dh, dc, dc, dc], 3) as Tensor4D; // [N,1,P,4F]
      return [mul(each, lineOf(ofGates, line)), mul(dc, lineOf(f, line))] as [Tensor4D, Tensor4D];
    });
    carried?.dispose();
    carried = next;
    slopes.push(dz);
  }
  if (!attributes.fromEnd) slopes.reverse();
  const dz = joined(slopes); // T of [N,1,P,4F] -> [N,T,P,4F]
  const convolution = { activation: 'linear', left, presentColumns: columns } as const;
  const saved = { x: before(states, attributes), kernel, y: undefined };
  const ofKernel = composedConv.gradients(dz, saved, convolution).kernel as () => Tensor4D;
  return [byGroup(dz, imageChannels), byGroup(ofKernel(), imageChannels)];
}

const slopeOfSigmoid = (y: Tensor4D): Tensor4D => mul(y, sub(1, y));

const slopeOfTanh = (y: Tensor4D): Tensor4D => sub(1, square(y));

/** Lines in the order of steps. */
function stepsOf({ shape: [, lines] }: Tensor4D, { fromEnd }: Attributes): number[] {
  return Array.from({ length: lines }, (_, t) => (fromEnd ? lines - 1 - t : t));
}

/** [N,T,P,F] -> [N,1,P,F] */
const lineOf = (x: Tensor4D, line: number): Tensor4D =>
  slice(x, [0, line, 0, 0], [x.shape[0], 1, x.shape[2], x.shape[3]]);

/** T of [N,1,P,F], which are let go -> [N,T,P,F] */
function joined(lines: Tensor4D[]): Tensor4D {
  return concat(lines, 1);
}

/** Each line as the one of the step before it, zeros at the first: [N,T,P,F]. */
function before(x: Tensor4D, { fromEnd }: Attributes): Tensor4D {
  const padded = pad(x, [[0, 0], fromEnd ? [0, 1] : [1, 0], [0, 0], [0, 0]]); // biome-ignore format: [N,T+1,P,F], one pair a dimension
  return slice(padded, [0, fromEnd ? 1 : 0, 0, 0], x.shape); // [N,T,P,F]
}

/** Features o, f, i, g of each group -> o of all groups, f of all, i and g: [..,4F]. */
function byGate(x: Tensor4D, groups: number): Tensor4D {
  return groups === 1 ? x : exchanged(x, groups, 4);
}

/** The other way. */
function byGroup(x: Tensor4D, groups: number): Tensor4D {
  return groups === 1 ? x : exchanged(x, 4, groups);
}

/** The last axis as [outer,inner,size] -> [inner,outer,size]. */
function exchanged(x: Tensor4D, outer: number, inner: number): Tensor4D {
  const size = x.shape[3];
  const parts = reshape(x, [-1, outer, inner, size / (outer * inner)]); // [..,F] -> [..,outer,inner,size]
  return reshape(transpose(parts, [0, 2, 1, 3]), x.shape); // [..,inner,outer,size] -> [..,F]
}

const operation = defineOperation<Inputs, Attributes, Saved, Tensor4D>({
  name: 'lineLSTM',
  composed,
  differentiableGradients(dy, inputs, attributes) {
    const { saved } = composed.forward(inputs, attributes);
    const [z, kernel] = gradients(dy, saved, attributes);
    return { z: () => z, kernel: () => kernel };
  },
});
