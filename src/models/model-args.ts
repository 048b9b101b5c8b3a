import { checkArgs, checkInteger, checkKernelSize, wrong } from '../check';

/** Sizes that every network of this library takes. */
export interface NetworkArgs {
  /** [H, W, C]; null for H and W takes images of any size. */
  imageShape: [number | null, number | null, number];
  /** L, the intensities that a channel can have. @default 256 */
  levels?: number;
  /** Features of the two 1x1 convolutions before the last, per image channel. */
  outDim: number;
  /** Kernel, or window, of the layer that reads the image, odd. @default 7 */
  firstKernelSize?: number | [number, number];
  /** Kernel, or window, of the blocks, odd. @default 3 */
  kernelSize?: number | [number, number];
  /** Name of the model. */
  name?: string;
}

/**
 * The sizes of a network, checked, with defaults filled in and features of all channels; `what` names the
 * network in errors.
 */
export function checkNetworkArgs(what: string, args: NetworkArgs & { hiddenDim: number; numBlocks: number }) {
  const { imageShape, levels = 256, firstKernelSize = 7, kernelSize = 3, name } = checkArgs(what, args);
  const imageChannels = checkImageShape(`${what}: imageShape`, imageShape);
  const hidden = checkInteger(`${what}: hiddenDim`, args.hiddenDim, 1) * imageChannels;
  const out = checkInteger(`${what}: outDim`, args.outDim, 1) * imageChannels;
  const numBlocks = checkInteger(`${what}: numBlocks`, args.numBlocks, 0);
  checkInteger(`${what}: levels`, levels, 2);
  checkKernelSize(`${what}: firstKernelSize`, firstKernelSize);
  checkKernelSize(`${what}: kernelSize`, kernelSize);
  const named = name === undefined ? {} : { name };
  return { imageShape, imageChannels, levels, hidden, out, numBlocks, firstKernelSize, kernelSize, named };
}

/** Checks [H, W, C], null for H and W allowed, and gives C. */
function checkImageShape(what: string, imageShape: unknown): number {
  const isSize = (size: unknown) => size === null || (Number.isSafeInteger(size) && (size as number) > 0);
  const [h, w, c, ...rest] = Array.isArray(imageShape) ? imageShape : [];
  if (!isSize(h) || !isSize(w) || !isSize(c) || c === null || rest.length > 0) {
    wrong(what, '[H, W, C], with null for a size that may vary', imageShape);
  }
  return c;
}
