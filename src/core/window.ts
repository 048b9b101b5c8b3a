import {
  flag,
  type Given,
  integer,
  lengths,
  multipleOf,
  oddLengths,
  oneOf,
  optional,
  readArguments,
  readDeclared,
  type Values,
} from './arguments';
import { checkKernelSize, checkMemory, checkNames, checkRecord, throwTypeError } from './check';

/**
 * What a masked convolution hides of the current pixel. `'A'`, for the layer that reads the image, hides a
 * channel from itself; `'B'`, for every later layer, lets a channel see itself.
 */
export type MaskType = 'A' | 'B';

/** How much a window may see of the output's own row, and below; see {@link KernelWindow}. */
export const presents = ['nothing', 'A', 'B', 'everything', 'everythingAndBelow'] as const;

/**
 * The window of a causal convolution: which taps of a kernel are used, and on which features. Plain data.
 * Rows above the output's own are fully visible. Rows below are hidden, except with `'everythingAndBelow'`.
 */
export interface KernelWindow {
  /** Rows and columns of the kernel. */
  readonly kernelSize: readonly [rows: number, columns: number];
  /** The tap that lies on the output's own position. */
  readonly anchor: readonly [row: number, column: number];
  /**
   * How much of the output's own row is visible: nothing; the pixels to the left and, of the pixel itself, earlier
   * channels (mask A) or also its own channel (mask B); or the whole row, for the vertical stacks of gated networks.
   * `'everythingAndBelow'` also shows the rows below, for conditions, which are known before the image.
   */
  readonly present: (typeof presents)[number];
  /** The number of groups that features are split into, one for each channel. */
  readonly imageChannels: number;
  /**
   * The distance in rows and columns from one output to the next on the input map; if transposed, from one
   * input to the next on the output map.
   */
  readonly stride: number;
  /** Whether the convolution is transposed: it enlarges the map, as the gradient of a strided convolution does. */
  readonly transposed: boolean;
}

/** What one tap of a window sees: nothing, earlier channels, earlier channels and its own, or everything. */
type Visibility = 'nothing' | 'earlier' | 'own' | 'everything';

export const isSameWindow = (a: KernelWindow, b: KernelWindow): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b);

/** The window of an odd kernel around its middle tap, at stride 1. */
export function windowAround(
  kernelSize: readonly [rows: number, columns: number],
  present: KernelWindow['present'],
  imageChannels: number,
): KernelWindow {
  const anchor = [kernelSize[0] >> 1, kernelSize[1] >> 1] as const;
  return { kernelSize, anchor, present, imageChannels, stride: 1, transposed: false };
}

/** The window of a 1x1 kernel that sees all features of its pixel. */
export const pointWindow: KernelWindow = /* @__PURE__ */ windowAround([1, 1], 'B', 1);

/**
 * Where the window of a shifted convolution lies:
 *
 * - `'down'`: on the rows above and all of the current row, centred on the current column;
 * - `'downRight'`: on the rows above and the current row, up to and including the current pixel;
 * - `'excludesCentre'`: on the rows above, centred on the current column, and on the part of the current row before the pixel;
 * - `'same'`: on all sides of the pixel; only for networks that read conditions and not the image.
 */
export type Shift = (typeof shifts)[number];

const shifts = ['down', 'downRight', 'excludesCentre', 'same'] as const;

export const shiftedArguments = {
  /** Rows and columns of the kernel, odd or even; with `'same'`, odd. One number for a square kernel. */
  kernelSize: lengths(),
  /** Where it lies: see {@link Shift}. */
  shift: oneOf(...shifts),
  /** 2 halves height and width, or doubles them if `transposed`; only for `'down'` and `'downRight'`. @default 1 */
  stride: optional(oneOf(1, 2), 1),
  /** See {@link KernelWindow}. @default false */
  transposed: flag(false),
};

/** Arguments of a window of shifted convolutions. */
export interface ShiftedWindowArgs extends Given<typeof shiftedArguments> {}

export const maskedWindowArguments = {
  /** Rows and columns of the kernel, odd; one number for a square kernel. */
  kernelSize: oddLengths(),
  /** 'A' for the layer that reads the image, 'B' for every later one. @default 'B' */
  maskType: optional(oneOf('A', 'B'), 'B'),
  /** Channels of the image (3 for RGB); features are split into as many groups, in order. @default 3 */
  imageChannels: optional(integer({ from: 1 }), 3),
  /**
   * Makes the mask of a vertical stack instead, which ignores channels: `'A'` sees only the rows
   * above; `'B'` also sees the whole current row, and is for features that themselves see only rows
   * above. Set `imageChannels: 1` for any number of features. @default false
   */
  vertical: flag(false),
};

const maskArguments = {
  ...maskedWindowArguments,
  /** The number of input features, a multiple of `imageChannels`. */
  featuresIn: multipleOf('imageChannels'),
  /** The number of output features, a multiple of `imageChannels`. */
  featuresOut: multipleOf('imageChannels'),
};

/** Arguments of {@link getMask}. */
export interface MaskArgs extends Given<typeof maskArguments> {}

/**
 * Makes a window for a convolution in your own layer, to pass to `ops.conv` in `express`: a masked one, from the
 * arguments of {@link getMask}, or a shifted one. A shifted window sees all channels of the current pixel, and with
 * `'down'` also the pixels to its right, so its input features must first be shifted down or right.
 *
 * Source of shifted windows: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, section 2.3.
 *
 * @throws TypeError if the kernel size is not an integer, or is even without `shift`
 * @example
 * ```js
 * import { windowOf } from 'pixelcnn-layers';
 * const { anchor, present } = windowOf({ kernelSize: 3, maskType: 'A', imageChannels: 1 });
 * console.log(anchor, present); // [1, 1] A
 * console.log(windowOf({ kernelSize: [2, 3], shift: 'down' }).anchor); // [1, 1]
 * ```
 */
export function windowOf(
  args: Omit<MaskArgs, 'featuresIn' | 'featuresOut'> | ShiftedWindowArgs,
): KernelWindow {
  const what = 'windowOf';
  if ('shift' in checkRecord(what, args))
    return shiftedWindow(what, readArguments(what, args, shiftedArguments));
  checkNames(what, Object.keys(args), [...Object.keys(maskArguments), 'shift']);
  return maskedWindow(readDeclared(what, args, maskedWindowArguments));
}

/** What {@link shiftedWindow} takes. */
type ShiftedWindow = Pick<Values<typeof shiftedArguments>, 'kernelSize' | 'shift'> &
  Partial<Values<typeof shiftedArguments>>;

/** The window of a shifted convolution, from checked arguments. `what` names the caller in errors. */
export function shiftedWindow(
  what: string,
  { kernelSize, shift, stride = 1, transposed = false }: ShiftedWindow,
): KernelWindow {
  const [rows, columns] = kernelSize;
  const middle = (columns - 1) >> 1;
  if (shift === 'excludesCentre' || shift === 'same') {
    if (stride > 1 || transposed)
      throwTypeError(`${what}: stride`, `1, and not transposed, with shift '${shift}'`, stride);
    if (shift === 'same')
      return windowAround(checkKernelSize(`${what}: kernelSize`, kernelSize), 'everythingAndBelow', 1);
    return { ...windowAround(kernelSize, 'A', 1), anchor: [rows - 1, middle] };
  }
  const [last, right] = transposed ? [0, 0] : [rows - 1, columns - 1];
  const anchor = [last, shift === 'down' ? middle : right] as const;
  return { ...windowAround(kernelSize, 'everything', 1), anchor, stride, transposed };
}

/**
 * The window for a kernel with rows and columns reversed. A transposed convolution of a map equals
 * a convolution with this window, at stride 1, of the map with zeros inserted between its places.
 */
export function flipped(window: KernelWindow): KernelWindow {
  const { kernelSize, anchor, transposed } = window;
  const turned = [kernelSize[0] - 1 - anchor[0], kernelSize[1] - 1 - anchor[1]] as const;
  return { ...window, anchor: turned, stride: 1, transposed: !transposed };
}

/** The window of a masked convolution, from checked arguments. */
export function maskedWindow({
  kernelSize,
  maskType,
  imageChannels,
  vertical,
}: Values<typeof maskedWindowArguments>): KernelWindow {
  const ofRows = maskType === 'A' ? 'nothing' : 'everything';
  return windowAround(kernelSize, vertical ? ofRows : maskType, imageChannels);
}

/** How many rows below and columns to the right of the output a tap lies; negative above and to the left. */
export function offsetOfTap(
  { anchor, transposed }: KernelWindow,
  row: number,
  column: number,
): [number, number] {
  const [down, right] = [row - anchor[0], column - anchor[1]];
  return transposed ? [-down, -right] : [down, right];
}

/** What the tap in this row and column of the kernel sees. This rule is what makes a network causal. */
export function visibilityAt(window: KernelWindow, row: number, column: number): Visibility {
  const { present, imageChannels } = window;
  const [down, right] = offsetOfTap(window, row, column);
  if (present === 'everythingAndBelow') return 'everything';
  if (down !== 0) return down < 0 ? 'everything' : 'nothing';
  if (present === 'nothing' || present === 'everything') return present;
  if (right !== 0) return right < 0 ? 'everything' : 'nothing';
  if (present === 'B') return 'own';
  return imageChannels > 1 ? 'earlier' : 'nothing'; // no channel comes before the first
}

/** The first output that sees an input through a tap; all later outputs see it too. `featuresOut` if none does. */
export function firstSeeing(
  { imageChannels }: KernelWindow,
  visibility: Visibility,
  input: number,
  featuresIn: number,
  featuresOut: number,
): number {
  if (visibility === 'everything') return 0;
  if (visibility === 'nothing') return featuresOut;
  const channel = Math.floor((input * imageChannels) / featuresIn);
  return ((visibility === 'own' ? channel : channel + 1) * featuresOut) / imageChannels;
}

/** How many rows of the kernel, counted from the first, contain all taps in use. */
export const usedRows = ({ kernelSize, anchor, present, transposed }: KernelWindow): number =>
  transposed || present === 'everythingAndBelow' ? kernelSize[0] : anchor[0] + 1;

/** How many columns of the kernel's anchor row, counted from the first, contain all taps in use. */
export function presentColumns(window: KernelWindow): number {
  let columns = window.kernelSize[1];
  while (columns > 0 && visibilityAt(window, window.anchor[0], columns - 1) === 'nothing') columns--;
  return columns;
}

export const seesBelow = ({ present }: KernelWindow): boolean => present === 'everythingAndBelow';

/** The mask of a window as zeros and ones, [rows, columns, featuresIn, featuresOut], row-major. */
export function maskOf(window: KernelWindow, featuresIn: number, featuresOut: number): Float32Array {
  const [rows, columns] = window.kernelSize;
  const values = new Float32Array(rows * columns * featuresIn * featuresOut);
  eachVisibleRun(window, featuresIn, featuresOut, (from, to) => values.fill(1, from, to));
  return values;
}

/** Calls a function with each visible run of a kernel [rows, columns, featuresIn, featuresOut]: the end of a row. */
export function eachVisibleRun(
  window: KernelWindow,
  featuresIn: number,
  featuresOut: number,
  act: (from: number, to: number) => void,
): void {
  const [rows, columns] = window.kernelSize;
  for (let tap = 0; tap < rows * columns; tap++) {
    const visibility = visibilityAt(window, Math.floor(tap / columns), tap % columns);
    for (let i = 0; i < featuresIn; i++) {
      const row = (tap * featuresIn + i) * featuresOut;
      act(row + firstSeeing(window, visibility, i, featuresIn, featuresOut), row + featuresOut);
    }
  }
}

/** A mask: zeros and ones, row-major, in the layout of a tfjs kernel. */
export interface Mask {
  /** [kernel rows, kernel columns, featuresIn, featuresOut] */
  readonly shape: readonly [number, number, number, number];
  /** 1 where the weight may be used, 0 where it would see later values. */
  readonly values: Float32Array;
}

/**
 * The mask of a causal convolution, for pixels predicted in the order rows, columns, channels.
 *
 * Rows above the kernel's centre and pixels left of it are visible; pixels right of it and rows below are hidden. At
 * the centre, the current pixel, features form `imageChannels` groups of equal size, and a group sees the groups before
 * it (and itself, with mask B): `mask[centre][i][o]` is 1 if group(i) < group(o), or group(i) <= group(o) for B.
 *
 * Source: van den Oord, Kalchbrenner, Kavukcuoglu, "Pixel Recurrent Neural Networks" (2016),
 * https://arxiv.org/abs/1601.06759, section 3.4 and figure 2; the layout of channel groups follows "The
 * Annotated Pixel-CNN", `get_mask`; the vertical stack follows van den Oord et al., "Conditional Image
 * Generation with PixelCNN Decoders" (2016), https://arxiv.org/abs/1606.05328, section 2.2.
 *
 * @throws TypeError naming the argument: even or non-integer kernel sizes, feature counts that `imageChannels` does not
 * divide, any mask type but 'A' and 'B'.
 * @example
 * ```js
 * import { getMask } from 'pixelcnn-layers';
 * const { shape, values } = getMask({ kernelSize: 1, featuresIn: 3, featuresOut: 3, maskType: 'A' });
 * console.log(shape); // [1, 1, 3, 3]
 * console.log(Array.from(values)); // [0, 1, 1, 0, 0, 1, 0, 0, 0]: red feeds green and blue, green feeds blue
 * ```
 */
export function getMask(args: MaskArgs): Mask {
  const { featuresIn, featuresOut, ...masked } = readArguments('getMask', args, maskArguments);
  const shape = [...masked.kernelSize, featuresIn, featuresOut] as const;
  checkMemory('getMask: kernelSize, featuresIn, featuresOut', shape);
  return { shape, values: maskOf(maskedWindow(masked), featuresIn, featuresOut) };
}
