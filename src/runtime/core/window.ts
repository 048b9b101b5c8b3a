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
  /** Rows and columns from output to output on the input map; if transposed, from input to input on the output map. */
  readonly stride: number;
  /** Whether the convolution is transposed: it enlarges the map, as the gradient of a strided convolution does. */
  readonly transposed: boolean;
  /** Rows and columns from tap to tap. @default [1, 1] */
  readonly dilation?: readonly [rows: number, columns: number];
  /**
   * Into how many groups the features of each channel are split; outputs see only inputs of their own group. A kernel is
   * [rows, columns, in / groups, out], with the inputs that an output sees in their order.
   * @default 1
   */
  readonly groups?: number;
}

/** The parts of a window that most have none of. */
export type WindowOptions = Pick<KernelWindow, 'dilation' | 'groups'>;

export const dilationOf = ({ dilation = [1, 1] }: KernelWindow): readonly [rows: number, columns: number] =>
  dilation;

/** What one tap of a window sees: nothing, earlier channels, earlier channels and its own, or everything. */
type Visibility = 'nothing' | 'earlier' | 'own' | 'everything';

export const isSameWindow = (a: KernelWindow, b: KernelWindow): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b);

/** The window of an odd kernel around its middle tap, at stride 1. */
export function windowAround(
  kernelSize: readonly [rows: number, columns: number],
  present: KernelWindow['present'],
  imageChannels: number,
  { dilation = [1, 1], groups = 1 }: WindowOptions = {},
): KernelWindow {
  const anchor = [kernelSize[0] >> 1, kernelSize[1] >> 1] as const;
  const window = { kernelSize, anchor, present, imageChannels, stride: 1, transposed: false };
  const isDilated = dilation.some((rate) => rate > 1);
  return { ...window, ...(isDilated && { dilation }), ...(groups > 1 && { groups }) };
}

/** The features, of all channels, of one of a window's groups: the part of each channel. */
export function featuresOfGroup(
  { imageChannels, groups = 1 }: KernelWindow,
  group: number,
  features: number,
): (readonly [from: number, to: number])[] {
  const size = features / imageChannels / groups;
  return Array.from({ length: imageChannels }, (_, channel) => {
    const from = (channel * groups + group) * size;
    return [from, from + size];
  });
}

/** The window of a 1x1 kernel that sees all features of its pixel. */
export const pointWindow: KernelWindow = /* @__PURE__ */ windowAround([1, 1], 'B', 1);

/**
 * The window for a kernel with rows and columns reversed. A transposed convolution of a map equals
 * a convolution with this window, at stride 1, of the map with zeros inserted between its places.
 */
export function flipped(window: KernelWindow): KernelWindow {
  const { kernelSize, anchor, transposed } = window;
  const turned = [kernelSize[0] - 1 - anchor[0], kernelSize[1] - 1 - anchor[1]] as const;
  return { ...window, anchor: turned, stride: 1, transposed: !transposed };
}

/**
 * The dilation on a map of a size: not beyond the map, behind which taps see zeros, however far. A model or a file may
 * state any number.
 */
export function dilationWithin(
  window: KernelWindow,
  height: number,
  width: number,
): [rows: number, columns: number] {
  const [rows, columns] = dilationOf(window);
  return [Math.min(rows, height), Math.min(columns, width)];
}

/** How many rows below and columns to the right of the output a tap lies; negative above and to the left. */
export function offsetOfTap(window: KernelWindow, row: number, column: number): [number, number] {
  const { anchor, transposed } = window;
  const [rows, columns] = dilationOf(window);
  const [down, right] = [(row - anchor[0]) * rows, (column - anchor[1]) * columns];
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

/**
 * The first output that sees a kernel's input through a tap; all later outputs see theirs of this number too.
 * `featuresOut` if none does.
 */
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
