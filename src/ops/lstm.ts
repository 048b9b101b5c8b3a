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
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  tanh,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import { causalConv2d } from './causal-conv';
import { composedConv } from './composed-conv';
import { defineOperation, type Implementation } from './operation';
import { address, filled, wasmKernel } from './wasm-kernels';

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

/** What the gradients need. */
interface Saved {
  readonly kernel: Tensor4D;
  /** h, [N,T,P,F] */
  readonly states: Tensor4D;
  /** o, f, i and g, activated, [N,T,P,4F]. */
  readonly gates: Tensor4D;
  /** c, [N,T,P,F] */
  readonly cells: Tensor4D;
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

// Step by step, tensors are [features,N*P], and all steps [T,features,N*P]: so gates and lines lie in one piece, which wasm
// slices and joins many times as fast. A convolution wants features last, and transposing is cheap.

const composed: Implementation<Inputs, Attributes, Saved, Tensor4D> = {
  forward,
  gradients(dy, saved, attributes) {
    const [z, kernel] = tidy(() => gradients(dy, saved, attributes));
    return { z: () => z, kernel: () => kernel };
  },
};

function forward({ z, kernel: given }: Inputs, attributes: Attributes) {
  const { imageChannels, fromEnd } = attributes;
  const lines = apart(byGate(linesOf(z), imageChannels)); // T of [4F,N*P]
  const kernel = kernelByGate(given, imageChannels); // [1,k,F,4F]
  const steps: Step[] = [];
  for (const t of stepsOf(lines, attributes)) {
    const before = steps.at(-1);
    steps.push(tidy(() => stepFrom(before, lines[t] as Tensor2D, kernel, z.shape, attributes)));
  }
  if (fromEnd) steps.reverse();
  const all = (name: keyof Step) => joined(steps.map((step) => step[name])); // T of [..,N*P] -> [T,..,N*P]
  const [states, cells] = [imagesOf(all('states'), z.shape), imagesOf(all('cells'), z.shape)]; // [N,T,P,F]
  const gates = imagesOf(byGroup(all('gates'), imageChannels), z.shape); // [N,T,P,4F]
  return { y: states, saved: { kernel: given, states, gates, cells } };
}

/** Of one line, gates [4F,N*P], the others [F,N*P]. */
type Step = {
  readonly gates: Tensor2D;
  readonly cells: Tensor2D;
  readonly states: Tensor2D;
};

function stepFrom(
  before: Step | undefined,
  line: Tensor2D,
  kernel: Tensor4D,
  shape: Tensor4D['shape'],
  { left }: Attributes,
): Step {
  const z = before === undefined ? line : add<Tensor2D>(line, convolved(before.states, kernel, left, shape)); // [4F,N*P]
  const features = kernel.shape[2];
  const [ofSigmoids, ofTanh] = split(z, [3 * features, features], 0) as [Tensor2D, Tensor2D]; // [3F,N*P], [F,N*P]
  const [sigmoids, candidates] = [sigmoid(ofSigmoids), tanh(ofTanh)];
  const [o, f, i] = split(sigmoids, 3, 0) as [Tensor2D, Tensor2D, Tensor2D]; // [F,N*P] each
  const fresh = mul<Tensor2D>(i, candidates);
  const cells = before === undefined ? fresh : add<Tensor2D>(mul(f, before.cells), fresh);
  return { gates: concat([sigmoids, candidates], 0), cells, states: mul(o, tanh(cells)) };
}

/** Both at once, [N,T,P,4F] and [1,k,F,4F]: each needs all steps. */
function gradients(
  dy: Tensor4D,
  { kernel: given, states, gates, cells: saved }: Saved,
  attributes: Attributes,
): [z: Tensor4D, kernel: Tensor4D] {
  const { imageChannels, left } = attributes;
  const kernel = kernelByGate(given, imageChannels); // [1,k,F,4F]
  const columns = kernel.shape[1];
  const turned = transpose(reverse(kernel, 1), [0, 1, 3, 2]) as Tensor4D; // [1,k,F,4F] -> [1,k,4F,F]
  const parts = split(byGate(linesOf(gates), imageChannels), 4, 1);
  const [o, f, i, g] = parts as [Tensor3D, Tensor3D, Tensor3D, Tensor3D]; // [T,F,N*P] each
  const cells = linesOf(saved); // [T,F,N*P]
  const t = tanh(cells);
  const ofCell = mul<Tensor3D>(o, slopeOfTanh(t)); // of h for c
  const [ofO, ofF, ofI, ofG] = [
    mul(t, slopeOfSigmoid(o)), // of h for o, and of c for f, i and g, all before their activations
    mul(before(cells, attributes), slopeOfSigmoid(f)),
    mul(g, slopeOfSigmoid(i)),
    mul(i, slopeOfTanh(g)),
  ];
  const ofGates = concat([ofO, ofF, ofI, ofG] as Tensor3D[], 1); // [T,4F,N*P]

  const [dh, ofCells, ofAll, forgets] = [linesOf(dy), ofCell, ofGates, f].map(apart) as [
    Tensor2D[],
    Tensor2D[],
    Tensor2D[],
    Tensor2D[],
  ]; // each T of [..,N*P]
  const slopes: Tensor2D[] = [];
  let carried: Tensor2D | undefined; // what c is to the line after
  for (const line of stepsOf(dh, attributes).reverse()) {
    const after = slopes.at(-1);
    const [dz, next] = tidy(() => {
      const own = dh[line] as Tensor2D;
      const back = () => convolved(after as Tensor2D, turned, columns - 1 - left, dy.shape); // [4F,N*P] -> [F,N*P]
      const all = after === undefined ? own : add<Tensor2D>(own, back());
      const through = mul<Tensor2D>(all, ofCells[line] as Tensor2D);
      const dc = carried === undefined ? through : add<Tensor2D>(through, carried);
      const each = concat([all, dc, dc, dc], 0); // [4F,N*P]
      return [mul(each, ofAll[line] as Tensor2D), mul(dc, forgets[line] as Tensor2D)] as [Tensor2D, Tensor2D];
    });
    carried?.dispose();
    carried = next;
    slopes.push(dz);
  }
  if (!attributes.fromEnd) slopes.reverse();
  const all = joined(slopes); // T of [4F,N*P] -> [T,4F,N*P]
  const dz = imagesOf(byGroup(all, imageChannels), dy.shape); // [N,T,P,4F]
  const x = imagesOf(before(linesOf(states), attributes), dy.shape); // [N,T,P,F]
  const convolution = { activation: 'linear', left, presentColumns: columns } as const;
  const ofKernel = composedConv.gradients(dz, { x, kernel: given, y: undefined }, convolution).kernel;
  return [dz, (ofKernel as () => Tensor4D)()];
}

const slopeOfSigmoid = (y: Tensor3D): Tensor3D => mul(y, sub(1, y));

const slopeOfTanh = (y: Tensor3D): Tensor3D => sub(1, square(y));

/** A convolution along a line, [features,N*P] -> [out,N*P], of lines of N images [N,T,P,..]. */
function convolved(
  line: Tensor2D,
  kernel: Tensor4D,
  left: number,
  [n, , places]: Tensor4D['shape'],
): Tensor2D {
  const [, columns, featuresIn, featuresOut] = kernel.shape;
  const x: Tensor4D = reshape(transpose(line), [n, 1, places, featuresIn]); // [features,N*P] -> [N,1,P,features]
  const y = causalConv2d(x, kernel, null, 'linear', left, columns); // [N,1,P,out]
  return transpose(reshape(y, [n * places, featuresOut]) as Tensor2D); // [N*P,out] -> [out,N*P]
}

/** Lines in the order of steps. */
function stepsOf({ length: lines }: readonly Tensor2D[], { fromEnd }: Attributes): number[] {
  return Array.from({ length: lines }, (_, t) => (fromEnd ? lines - 1 - t : t));
}

/** [N,T,P,F] -> [T,F,N*P] */
function linesOf(x: Tensor4D): Tensor3D {
  const [n, lines, places, features] = x.shape;
  return reshape(transpose(x, [1, 3, 0, 2]), [lines, features, n * places]); // [T,F,N,P] -> [T,F,N*P]
}

/** The other way, of images whose N and P are those of a shape [N,T,P,..]. */
function imagesOf(x: Tensor3D, [n, , places]: Tensor4D['shape']): Tensor4D {
  const [lines, features] = x.shape;
  return transpose(reshape(x, [lines, features, n, places]), [2, 0, 3, 1]) as Tensor4D; // [T,F,N,P] -> [N,T,P,F]
}

/**
 * [T,F,N*P] -> T of [F,N*P]. By halves, since wasm copies all of a tensor to slice it: T slices would be T copies, and this
 * is log2 T.
 */
function apart(x: Tensor3D): Tensor2D[] {
  const [lines, features, places] = x.shape;
  if (lines === 1) return [reshape(x, [features, places])]; // [1,F,N*P] -> [F,N*P]
  const half = lines >> 1;
  return tidy(() => (split(x, [half, lines - half], 0) as Tensor3D[]).flatMap(apart));
}

/** T of [F,N*P] -> [T,F,N*P] */
function joined(lines: Tensor2D[]): Tensor3D {
  const [features, places] = (lines[0] as Tensor2D).shape;
  return reshape(concat(lines, 0), [lines.length, features, places]); // [T*F,N*P] -> [T,F,N*P]
}

/** Each line as the one of the step before it, zeros at the first: [T,F,N*P]. */
function before(x: Tensor3D, { fromEnd }: Attributes): Tensor3D {
  const padded = pad(x, [fromEnd ? [0, 1] : [1, 0], [0, 0], [0, 0]]); // biome-ignore format: [T+1,F,N*P], one pair a dimension
  return slice(padded, [fromEnd ? 1 : 0, 0, 0], x.shape); // [T,F,N*P]
}

/** Features o, f, i, g of each group -> o of all groups, f of all, i and g: [T,4F,N*P]. */
function byGate(x: Tensor3D, groups: number): Tensor3D {
  return groups === 1 ? x : exchanged(x, groups, 4);
}

/** The other way. */
function byGroup(x: Tensor3D, groups: number): Tensor3D {
  return groups === 1 ? x : exchanged(x, 4, groups);
}

/** Features as [outer,inner,size] -> [inner,outer,size]. */
function exchanged(x: Tensor3D, outer: number, inner: number): Tensor3D {
  const parts = reshape(x, [x.shape[0], outer, inner, -1]); // [T,4F,N*P] -> [T,outer,inner,size*N*P]
  return reshape(transpose(parts, [0, 2, 1, 3]), x.shape); // [T,inner,outer,size*N*P] -> [T,4F,N*P]
}

/** As {@link byGate}, of a kernel's outputs: [1,k,F,4F]. */
function kernelByGate(kernel: Tensor4D, groups: number): Tensor4D {
  if (groups === 1) return kernel;
  const [, columns, features, featuresOut] = kernel.shape;
  const parts = reshape(kernel, [columns * features, groups, 4, features / groups]); // [1,k,F,4F] -> [k*F,groups,4,F/groups]
  return reshape(transpose(parts, [0, 2, 1, 3]), [1, columns, features, featuresOut]); // and back
}

const wasmForward = wasmKernel<Inputs, Attributes, [h: Tensor4D, gates: Tensor4D, cells: Tensor4D]>(
  'PixelCNNLineLSTM',
  (kernels, { z, kernel }, attributes) => {
    const [n, lines, places, featuresOut] = z.shape;
    const [, columns, features] = kernel.shape;
    const ofStates = [n, lines, places, features];
    return filled(
      [ofStates, [n, lines, places, featuresOut], ofStates],
      kernels.lstmScratch(places, features, columns) >>> 0,
      ([h, gates, cells], scratch) =>
        kernels.lstm(
          h,
          gates,
          cells,
          address(z),
          address(kernel),
          ...sizesOf(z, kernel, attributes),
          scratch,
        ),
    );
  },
);

const wasmGradients = wasmKernel<
  Saved & { readonly dy: Tensor4D },
  Attributes,
  [dz: Tensor4D, dkernel: Tensor4D]
>('PixelCNNLineLSTMGradient', (kernels, { dy, kernel, states, gates, cells }, attributes) => {
  const [, columns, features] = kernel.shape;
  const bytes = kernels.lstmBackScratch(gates.shape[2], features, columns) >>> 0;
  return filled([gates.shape, kernel.shape], bytes, ([dz, dkernel], scratch) => {
    const given = [dy, states, gates, cells, kernel].map(address) as [number, number, number, number, number];
    kernels.lstmBack(dz, dkernel, ...given, ...sizesOf(gates, kernel, attributes), scratch);
  });
});

function sizesOf(
  { shape: [n, lines, places] }: Tensor4D,
  { shape: [, columns, features] }: Tensor4D,
  { imageChannels, left, fromEnd }: Attributes,
) {
  return [n, lines, places, imageChannels, features / imageChannels, columns, left, fromEnd] as const;
}

const operation = defineOperation<Inputs, Attributes, Saved, Tensor4D>({
  name: 'lineLSTM',
  composed,
  wasmImplementation: {
    supports: ({ z, kernel }) => z.dtype === 'float32' && kernel.dtype === 'float32',
    forward(inputs, attributes) {
      const [states, gates, cells] = wasmForward(inputs, attributes);
      return { y: states, saved: { kernel: inputs.kernel, states, gates, cells } };
    },
    gradients(dy, saved, attributes) {
      const [dz, dkernel] = wasmGradients({ ...saved, dy }, attributes);
      return { z: () => dz, kernel: () => dkernel };
    },
  },
  differentiableGradients(dy, inputs, attributes) {
    const { saved } = forward(inputs, attributes);
    const [z, kernel] = gradients(dy, saved, attributes);
    return { z: () => z, kernel: () => kernel };
  },
});
