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
import { type KernelWindow, maskOf, windowAround } from './window';

// The windows that users declare, of masked and of shifted convolutions. Programs contain windows as plain data, so what
// only runs them does without this file.

/**
 * What a masked convolution hides of the current pixel. `'A'`, for the layer that reads the image, hides a
 * channel from itself; `'B'`, for every later layer, lets a channel see itself.
 */
export type MaskType = 'A' | 'B';

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

/** The arguments that reach further with as many weights. */
export const dilationArguments = {
  /**
   * Rows and columns from one tap of the kernel to the next, one number for both: as in tfjs's `conv2d`, only at stride 1, and
   * not if transposed.
   * @default 1
   */
  dilationRate: optional(lengths(), [1, 1]),
};

const groupArguments = {
  /**
   * Into how many groups the features of each image channel are split: outputs see only inputs of their own group, as in
   * PyTorch for one image channel. As many groups as features make a depthwise convolution. @default 1
   */
  groups: optional(integer({ from: 1 }), 1),
};

export const shiftedArguments = () => ({
  /** Rows and columns of the kernel, odd or even; with `'same'`, odd. One number for a square kernel. */
  kernelSize: lengths(),
  /** Where it lies: see {@link Shift}. */
  shift: oneOf(...shifts),
  /** 2 halves height and width, or doubles them if `transposed`; only for `'down'` and `'downRight'`. @default 1 */
  stride: optional(oneOf(1, 2), 1),
  /** See {@link KernelWindow}. @default false */
  transposed: flag(false),
  ...dilationArguments,
  ...groupArguments,
});

/** Arguments of a window of shifted convolutions. */
export interface ShiftedWindowArgs extends Given<ReturnType<typeof shiftedArguments>> {}

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
  ...dilationArguments,
  ...groupArguments,
};

const maskArguments = () => ({
  ...maskedWindowArguments,
  /** The number of input features, a multiple of `imageChannels` and `groups`. */
  featuresIn: multipleOf('imageChannels', 'groups'),
  /** The number of output features, a multiple of `imageChannels` and `groups`. */
  featuresOut: multipleOf('imageChannels', 'groups'),
});

/** Arguments of {@link getMask}. */
export interface MaskArgs extends Given<ReturnType<typeof maskArguments>> {}

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
    return shiftedWindow(what, readArguments(what, args, shiftedArguments()));
  checkNames(what, Object.keys(args), [...Object.keys(maskArguments()), 'shift']);
  return maskedWindow(readDeclared(what, args, maskedWindowArguments));
}

/** What {@link shiftedWindow} takes. */
type ShiftedWindow = Pick<Values<ReturnType<typeof shiftedArguments>>, 'kernelSize' | 'shift'> &
  Partial<Values<ReturnType<typeof shiftedArguments>>>;

/** The window of a shifted convolution, from checked arguments. `what` names the caller in errors. */
export function shiftedWindow(
  what: string,
  { kernelSize, shift, stride = 1, transposed = false, ...options }: ShiftedWindow,
): KernelWindow {
  const { dilationRate: dilation = [1, 1], groups = 1 } = options;
  if ((stride > 1 || transposed) && dilation.some((rate) => rate > 1))
    throwTypeError(`${what}: dilationRate`, '1 with a stride, or transposed', dilation);
  const [rows, columns] = kernelSize;
  const middle = (columns - 1) >> 1;
  if (shift === 'excludesCentre' || shift === 'same') {
    if (stride > 1 || transposed)
      throwTypeError(`${what}: stride`, `1, and not transposed, with shift '${shift}'`, stride);
    if (shift === 'same')
      return windowAround(checkKernelSize(`${what}: kernelSize`, kernelSize), 'everythingAndBelow', 1, {
        dilation,
        groups,
      });
    return { ...windowAround(kernelSize, 'A', 1, { dilation, groups }), anchor: [rows - 1, middle] };
  }
  const [last, right] = transposed ? [0, 0] : [rows - 1, columns - 1];
  const anchor = [last, shift === 'down' ? middle : right] as const;
  return { ...windowAround(kernelSize, 'everything', 1, { dilation, groups }), anchor, stride, transposed };
}

/** The window of a masked convolution, from checked arguments. */
export function maskedWindow(args: Values<typeof maskedWindowArguments>): KernelWindow {
  const { kernelSize, maskType, imageChannels, vertical, dilationRate: dilation, groups } = args;
  const ofRows = maskType === 'A' ? 'nothing' : 'everything';
  return windowAround(kernelSize, vertical ? ofRows : maskType, imageChannels, { dilation, groups });
}

/** A mask: zeros and ones, row-major, in the layout of a tfjs kernel. */
export interface Mask {
  /** [kernel rows, kernel columns, featuresIn / groups, featuresOut] */
  readonly shape: [number, number, number, number];
  /** 1 where the weight may be used, 0 where it would see later values. */
  readonly values: Float32Array;
}

/**
 * The mask of a causal convolution, for pixels predicted in the order rows, columns, channels.
 *
 * Rows above the kernel's centre and pixels left of it are visible; pixels right of it and rows below are hidden. At
 * the centre, the current pixel, features form `imageChannels` groups of equal size, and a group sees the groups before
 * it (and itself, with mask B): `mask[centre][i][o]` is 1 if group(i) < group(o), or group(i) <= group(o) for B. With
 * `groups`, i counts the inputs of o's group, of all channels.
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
  const { featuresIn, featuresOut, ...masked } = readArguments('getMask', args, maskArguments());
  const inputs = featuresIn / masked.groups; // of each output
  const shape: Mask['shape'] = [...masked.kernelSize, inputs, featuresOut];
  checkMemory('getMask: kernelSize, featuresIn, featuresOut', shape);
  return { shape, values: maskOf(maskedWindow(masked), inputs, featuresOut) };
}
