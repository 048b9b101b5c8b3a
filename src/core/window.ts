import {
  checkAnyKernelSize,
  checkArgs,
  checkBoolean,
  checkFeatures,
  checkInteger,
  checkKernelSize,
  checkMemory,
  checkOneOf,
  type NamesOf,
  throwTypeError,
} from './check';

/**
 * What a masked convolution hides of the present pixel. `'A'`, for the layer that reads the image, hides a
 * channel from itself; `'B'`, for every later layer, lets a channel see itself.
 */
export type MaskType = 'A' | 'B';

/**
 * The window of a causal convolution: which taps of a kernel are used, and on which features. Rows above the
 * output's own are seen whole, rows below never. Plain data.
 */
export interface Window {
  /** Rows and columns of the kernel. */
  readonly kernelSize: readonly [rows: number, columns: number];
  /** The tap that lies on the output's own place. */
  readonly anchor: readonly [row: number, column: number];
  /**
   * What is seen of the output's own row: nothing; the pixels to the left and, of the pixel itself, earlier
   * channels (mask A) or also the own channel (mask B); or the whole row, which the vertical stacks of gated
   * networks want. `'andBelow'` sees the rows below too: for conditions, which are known before the image.
   */
  readonly present: 'nothing' | MaskType | 'everything' | 'andBelow';
  /** Features are split into as many groups, one a channel. */
  readonly imageChannels: number;
  /** Rows and columns from one output to the next, on the map that is read; of a transposed one, on the map
   * that is written. */
  readonly stride: number;
  /** Whether it enlarges: the gradient of a strided convolution. */
  readonly transposed: boolean;
}

/** What one tap of a window sees: no feature, those of earlier channels, of the own channel too, or all. */
export type Sight = 'nothing' | 'earlier' | 'own' | 'everything';

/** The window of an odd kernel around its middle tap, at stride 1. */
export function windowAround(
  kernelSize: readonly [rows: number, columns: number],
  present: Window['present'],
  imageChannels: number,
): Window {
  const [rows, columns] = kernelSize;
  return {
    kernelSize,
    anchor: [rows >> 1, columns >> 1],
    present,
    imageChannels,
    stride: 1,
    transposed: false,
  };
}

/** The window of a 1x1 kernel that sees all features of its pixel. */
export const pointWindow: Window = /* @__PURE__ */ windowAround([1, 1], 'B', 1);

/**
 * Where the window of a shifted convolution lies:
 *
 * - `'down'`, on the rows above and, whole, the present one, around the present column;
 * - `'downRight'`, on the rows above and the present one, up to the present pixel, itself included;
 * - `'before'`, on the rows above, around the present column, and of the present one on what lies before the pixel;
 * - `'around'`, on all sides of the pixel, rows below included: for networks on conditions alone.
 */
export type Shift = (typeof shifts)[number];

/** All of them. */
export const shifts = ['down', 'downRight', 'before', 'around'] as const;

/** Arguments of a window of shifted convolutions. */
export interface ShiftedWindowArgs {
  /** Rows and columns of the kernel, odd or even; odd `'around'` a pixel. One number for a square kernel. */
  kernelSize: number | [number, number];
  /** Where it lies: `'down'`, above its pixel and around it; `'downRight'`, up to its pixel; … See {@link Shift}. */
  shift: Shift;
  /** 2 halves height and width, or with `transposed` doubles them; shifted `'down'` or `'downRight'` only. @default 1 */
  stride?: 1 | 2;
  /** Whether it enlarges, with `stride: 2`, as the gradient of a strided convolution does. @default false */
  transposed?: boolean;
}

const shiftedNames: NamesOf<ShiftedWindowArgs> = {
  kernelSize: true,
  shift: true,
  stride: true,
  transposed: true,
};

/**
 * The window that the arguments of {@link getMask} describe, or that of a shifted convolution, for the convolutions of a
 * layer of your own: `ops.conv` in `express` takes it.
 *
 * A shifted window sees the present pixel whole, a down-shifted one also those to the right of it, so what it reads must
 * not have seen them: features that have been shifted down, or right.
 *
 * Source of the shifted ones: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, section 2.3.
 *
 * @throws TypeError where the kernel size is no integer, or even without `shift`
 * @example
 * ```js
 * import { windowOf } from 'pixelcnn-layers';
 * const { anchor, present } = windowOf({ kernelSize: 3, maskType: 'A', imageChannels: 1 });
 * console.log(anchor, present); // [1, 1] A
 * console.log(windowOf({ kernelSize: [2, 3], shift: 'down' }).anchor); // [1, 1]
 * ```
 */
export function windowOf(args: WindowArgs | ShiftedWindowArgs): Window {
  checkArgs<object>('windowOf', args, { ...shiftedNames, ...maskArgNames });
  return 'shift' in args ? shiftedWindow('windowOf', args) : readWindow('windowOf', args);
}

/** The window of a shifted convolution; `what` names the caller in errors. */
export function shiftedWindow(what: string, args: ShiftedWindowArgs): Window {
  const { shift, stride = 1, transposed = false } = checkArgs(what, args, shiftedNames);
  checkOneOf(`${what}: shift`, shift, shifts);
  const checkSize = shift === 'around' ? checkKernelSize : checkAnyKernelSize;
  const [rows, columns] = checkSize(`${what}: kernelSize`, args.kernelSize);
  if (stride !== 1 && stride !== 2) throwTypeError(`${what}: stride`, '1 or 2', stride);
  checkBoolean(`${what}: transposed`, transposed);
  const middle = (columns - 1) >> 1;
  if (shift === 'before' || shift === 'around') {
    if (stride > 1 || transposed)
      throwTypeError(`${what}: stride`, `1, and not transposed, with shift '${shift}'`, stride);
    const kernelSize = [rows, columns] as const;
    if (shift === 'around') return windowAround(kernelSize, 'andBelow', 1);
    return { ...windowAround(kernelSize, 'A', 1), anchor: [rows - 1, middle] };
  }
  const anchor = transposed
    ? ([0, shift === 'down' ? middle : 0] as const)
    : ([rows - 1, shift === 'down' ? middle : columns - 1] as const);
  return { kernelSize: [rows, columns], anchor, present: 'everything', imageChannels: 1, stride, transposed };
}

/**
 * The same window on a kernel whose rows and columns are turned round: a transposed convolution of a map is this
 * one, at stride 1, of the map with zeros between its places.
 */
export function turnedRound({ kernelSize: [rows, columns], anchor, ...window }: Window): Window {
  const turned = [rows - 1 - anchor[0], columns - 1 - anchor[1]] as const;
  return {
    ...window,
    kernelSize: [rows, columns],
    anchor: turned,
    stride: 1,
    transposed: !window.transposed,
  };
}

type WindowArgs = Omit<MaskArgs, 'featuresIn' | 'featuresOut'>;

/** The same for the function that `what` names in errors. */
function readWindow(what: string, args: WindowArgs): Window {
  const { maskType = 'B', imageChannels = 3, vertical = false } = checkArgs(what, args, maskArgNames);
  const size = checkKernelSize(`${what}: kernelSize`, args.kernelSize);
  checkOneOf(`${what}: maskType`, maskType, ['A', 'B']);
  checkInteger(`${what}: imageChannels`, imageChannels, 1);
  checkBoolean(`${what}: vertical`, vertical);
  const verticalPresent = maskType === 'A' ? 'nothing' : 'everything';
  return windowAround(size, vertical ? verticalPresent : maskType, imageChannels);
}

/** How many rows below the output's own, and columns right of it, a tap lies; less than 0 above and left. */
export function offsetOfTap({ anchor, transposed }: Window, row: number, column: number): [number, number] {
  const [down, right] = [row - anchor[0], column - anchor[1]];
  return transposed ? [-down, -right] : [down, right];
}

/** What the tap in this row and column of the kernel sees. This is the law that makes a network causal. */
export function sightOf(window: Window, row: number, column: number): Sight {
  const { present, imageChannels } = window;
  const [down, right] = offsetOfTap(window, row, column);
  if (present === 'andBelow') return 'everything';
  if (down !== 0) return down < 0 ? 'everything' : 'nothing';
  switch (present) {
    case 'nothing':
    case 'everything':
      return present;
    default:
      if (right !== 0) return right < 0 ? 'everything' : 'nothing';
      if (present === 'B') return 'own';
      return imageChannels > 1 ? 'earlier' : 'nothing'; // no channel comes before the first
  }
}

/** Whether features of one channel are seen by those of another. */
export function isSeen(sight: Sight, channelIn: number, channelOut: number): boolean {
  if (sight === 'earlier') return channelIn < channelOut;
  return sight === 'own' ? channelIn <= channelOut : sight === 'everything';
}

/**
 * The first of the outputs that see an input through a tap: those that do are the last ones, in order of
 * channels. `featuresOut` where none does.
 */
export function firstSeer(
  { imageChannels }: Window,
  sight: Sight,
  input: number,
  featuresIn: number,
  featuresOut: number,
): number {
  if (sight === 'everything') return 0;
  if (sight === 'nothing') return featuresOut;
  const channel = Math.floor((input * imageChannels) / featuresIn);
  return ((sight === 'own' ? channel : channel + 1) * featuresOut) / imageChannels;
}

/**
 * Checks that a window is one, and that a kernel [rows,columns,in,out] fits it, and what it reads.
 *
 * @throws TypeError naming the part that does not
 */
export function checkKernel(window: Window, kernel: readonly number[], featuresIn: number): void {
  if (!Array.isArray(window?.anchor)) throwTypeError('conv: window', 'one that windowOf makes', window);
  const [rows, columns, kernelIn = 0, featuresOut] = kernel;
  if (kernel.length !== 4 || String([rows, columns]) !== String(window.kernelSize)) {
    throwTypeError('conv: kernel', `[${window.kernelSize},in,out], as the window has it`, kernel);
  }
  if (kernelIn !== featuresIn) throwTypeError('conv: kernel', `${featuresIn} input features`, kernelIn);
  checkFeatures('conv: input features', featuresIn, window.imageChannels);
  checkFeatures('conv: output features', featuresOut, window.imageChannels);
}

/** How many rows of the kernel, from the first, hold all that are used: those that reach no pixel below the output's own, or all. */
export const usedRows = ({ kernelSize, anchor, present, transposed }: Window): number =>
  transposed || present === 'andBelow' ? kernelSize[0] : anchor[0] + 1;

/** How many columns of the kernel's anchor row, from the first, hold all that are used by some feature. */
export function presentColumns(window: Window): number {
  let columns = window.kernelSize[1];
  while (columns > 0 && sightOf(window, window.anchor[0], columns - 1) === 'nothing') columns--;
  return columns;
}

/** Whether rows below the output's own are seen. */
export const seesBelow = ({ present }: Window): boolean => present === 'andBelow';

/**
 * The mask of a window as zeros and ones, [rows, columns, featuresIn, featuresOut], row-major.
 */
export function maskOf(window: Window, featuresIn: number, featuresOut: number): Float32Array {
  const [rows, columns] = window.kernelSize;
  const values = new Float32Array(rows * columns * featuresIn * featuresOut);
  eachVisibleRun(window, featuresIn, featuresOut, (from, to) => values.fill(1, from, to));
  return values;
}

/** Calls a function with each run of a kernel [rows, columns, featuresIn, featuresOut] that the mask shows: it ends with a row. */
export function eachVisibleRun(
  window: Window,
  featuresIn: number,
  featuresOut: number,
  act: (from: number, to: number) => void,
): void {
  const [rows, columns] = window.kernelSize;
  for (let tap = 0; tap < rows * columns; tap++) {
    const sight = sightOf(window, Math.floor(tap / columns), tap % columns);
    for (let i = 0; i < featuresIn; i++) {
      const row = (tap * featuresIn + i) * featuresOut;
      act(row + firstSeer(window, sight, i, featuresIn, featuresOut), row + featuresOut);
    }
  }
}

/** Arguments of {@link getMask}. */
export interface MaskArgs {
  /** Rows and columns of the kernel, odd; one number for a square kernel. */
  kernelSize: number | [number, number];
  /** Features that come in, a multiple of `imageChannels`. */
  featuresIn: number;
  /** Features that go out, a multiple of `imageChannels`. */
  featuresOut: number;
  /** @default 'B' */
  maskType?: MaskType;
  /** Channels of the image (3 for RGB), into which features are split, in order. @default 3 */
  imageChannels?: number;
  /**
   * The mask of a vertical stack instead, without regard to channels: `'A'` sees the rows above only, and
   * `'B'` the present row too, whole, for features that themselves see only rows above; with `imageChannels`
   * 1 of any number. @default false
   */
  vertical?: boolean;
}

const maskArgNames: NamesOf<MaskArgs> = {
  kernelSize: true,
  featuresIn: true,
  featuresOut: true,
  maskType: true,
  imageChannels: true,
  vertical: true,
};

/** A mask: zeros and ones, row-major, in the layout of a tfjs kernel. */
export interface Mask {
  /** [kernel rows, kernel columns, featuresIn, featuresOut] */
  readonly shape: readonly [number, number, number, number];
  /** 1 where the weight may be used, 0 where it would see the future. */
  readonly values: Float32Array;
}

/**
 * The mask of a causal convolution, for pixels predicted in the order rows, columns, channels.
 *
 * Rows above the kernel's centre and pixels left of it are seen whole; pixels right of it and rows below are
 * hidden. At the centre, the present pixel, features form `imageChannels` groups of equal size, and a group
 * sees the groups before it (and itself, with mask B): `mask[centre][i][o]` is 1 where group(i) < group(o),
 * or group(i) <= group(o) for B.
 *
 * Source: van den Oord, Kalchbrenner, Kavukcuoglu, "Pixel Recurrent Neural Networks" (2016), section 3.4 and
 * figure 2; the layout of channel groups is that of "The Annotated Pixel-CNN", `get_mask`; the vertical stack
 * is that of van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016), section 2.2.
 *
 * @returns shape [kernel rows, kernel columns, featuresIn, featuresOut] and its values; no tensor is made.
 * @throws TypeError naming the argument: even or non-integer kernel sizes, feature counts that
 * `imageChannels` does not divide, any mask type but 'A' and 'B'.
 * @example
 * ```js
 * import { getMask } from 'pixelcnn-layers';
 * const { shape, values } = getMask({ kernelSize: 1, featuresIn: 3, featuresOut: 3, maskType: 'A' });
 * console.log(shape); // [1, 1, 3, 3]
 * console.log(Array.from(values)); // [0, 1, 1, 0, 0, 1, 0, 0, 0]: red feeds green and blue, green feeds blue
 * ```
 */
export function getMask(args: MaskArgs): Mask {
  const window = readWindow('getMask', args);
  const { kernelSize, imageChannels } = window;
  const featuresIn = checkFeatures('getMask: featuresIn', args.featuresIn, imageChannels);
  const featuresOut = checkFeatures('getMask: featuresOut', args.featuresOut, imageChannels);
  const shape = [...kernelSize, featuresIn, featuresOut] as const;
  checkMemory('getMask: kernelSize, featuresIn, featuresOut', shape);
  return { shape, values: maskOf(window, featuresIn, featuresOut) };
}
