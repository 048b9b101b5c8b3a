import { checkArgs, checkBoolean, checkFeatures, checkInteger, checkKernelSize, checkOneOf } from './check';

/**
 * What a masked convolution hides of the present pixel. `'A'`, for the layer that reads the image, hides a
 * channel from itself; `'B'`, for every later layer, lets a channel see itself.
 */
export type MaskType = 'A' | 'B';

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
  const { maskType = 'B', imageChannels = 3, vertical = false } = checkArgs('getMask', args);
  const [rows, columns] = checkKernelSize('getMask: kernelSize', args.kernelSize);
  checkOneOf('getMask: maskType', maskType, ['A', 'B']);
  checkInteger('getMask: imageChannels', imageChannels, 1);
  checkBoolean('getMask: vertical', vertical);
  const featuresIn = checkFeatures('getMask: featuresIn', args.featuresIn, imageChannels);
  const featuresOut = checkFeatures('getMask: featuresOut', args.featuresOut, imageChannels);

  const shape = [rows, columns, featuresIn, featuresOut] as const;
  const values = new Float32Array(rows * columns * featuresIn * featuresOut);
  const tap = featuresIn * featuresOut;
  if (vertical) {
    const rowsSeen = maskType === 'A' ? rows >> 1 : (rows >> 1) + 1;
    return { shape, values: values.fill(1, 0, rowsSeen * columns * tap) };
  }
  const centre = (rows >> 1) * columns + (columns >> 1);
  values.fill(1, 0, centre * tap); // every tap before the centre: rows above, pixels to the left

  const groupIn = featuresIn / imageChannels;
  const groupOut = featuresOut / imageChannels;
  for (let i = 0; i < featuresIn; i++) {
    const channel = Math.floor(i / groupIn);
    const firstSeer = maskType === 'A' ? channel + 1 : channel; // the first channel that may see this one
    const row = centre * tap + i * featuresOut;
    values.fill(1, row + firstSeer * groupOut, row + featuresOut);
  }
  return { shape, values };
}
