import { type Instruction, type Operand, wholeVectors } from '../kernels/instruction';
import { AFTER_ROW, ONCE, ROW } from '../program/times';
import type { Layout } from './layout';
import { EVERYWHERE, type Places, placesOfScale } from './places';

/** The direction in which a sweep goes over the places of a row. */
export type Sweep = 'fromLeft' | 'fromRight';

/** An operation at some places. */
export interface Step {
  readonly places: Places;
  readonly code: Instruction;
  /** Set if it works on a whole row, but place by place. */
  readonly sweep: Sweep | undefined;
}

/** A base that follows the current pixel through a ring of rows. All numbers count floats. */
export interface MovingBase {
  /** The position of row 0, column 0, in the chunk's memory, or in the heap if all images share it. */
  readonly start: number;
  readonly rowStride: number;
  readonly rows: number;
  /** Rows or columns of the image from one stored row or column to the next. */
  readonly scale: number;
  /** How many stored rows above the current one it lies. */
  readonly above: number;
  readonly slots: number;
  /** @default false */
  readonly isShared?: boolean;
}

/** A number of floats for each image of a chunk, repeated a number of times. */
export interface Reservation {
  readonly offset: number;
  readonly stride: number;
  readonly times: number;
}

/** Initial numbers in the heap, from a position on. */
export interface Fill {
  readonly at: number;
  readonly length: number;
  /** Writes them over zeros. A function, so that weights, which take most of the memory, exist only once. */
  readonly write: (to: Float32Array) => void;
}

/** The bases at the beginning of every table: the start of the heap and of the chunk's memory. Moving bases follow. */
export const HEAP = 0;
export const CHUNK = 1;
export const FIRST_MOVING = 2;

/** The most images that are computed together: enough to share loaded weights, few enough to stay in the cache. */
const CHUNK_IMAGES = 32;

/** The size of chunks for a number of images, with chunks as equal as possible. */
export const imagesTogether = (numImages: number): number =>
  Math.ceil(numImages / Math.ceil(numImages / CHUNK_IMAGES));

/** The floats of {@link Plan.panel}. */
export const PANEL = 2 ** 14;

/** Assigns the parts of a program to positions in the heap and to times, before the heap is allocated. */
export class Plan {
  /** The number of floats in the heap that all chunks share. */
  sharedFloats = 0;
  /** The number of floats in each chunk's own memory. */
  chunkFloats = 0;
  /** The reservations that each image has in it. */
  readonly reservations: Reservation[] = [];
  readonly fills: Fill[] = [];
  readonly movingBases: MovingBase[] = [];
  private reservedPanel: Operand | undefined;
  private readonly indexOfBase = new Map<string, number>();
  private readonly spare = new Map<number, Operand[]>();
  /** The operations at each time (see {@link indexOfTime}), in order. */
  readonly steps: readonly Step[][];

  constructor(
    readonly chunkImages: number,
    readonly width: number,
    readonly channels: number,
  ) {
    const numTimes = channels + 2 - ONCE; // once, before a row, before and after each channel of a pixel, after a row
    this.steps = Array.from({ length: numTimes }, () => []);
  }

  /** Reserves floats shared by all chunks, aligned to a multiple of 4. */
  reserve(count: number): Operand {
    const offset = this.sharedFloats;
    this.sharedFloats += wholeVectors(count);
    return { base: HEAP, offset, stride: 0 };
  }

  constant(values: Float32Array): Operand {
    return this.written(values.length, (to) => to.set(values));
  }

  /** Reserves floats shared by all chunks, with numbers that a function writes over zeros. */
  written(length: number, write: Fill['write']): Operand {
    const operand = this.reserve(length);
    this.fills.push({ at: operand.offset, length, write });
    return operand;
  }

  /** Memory for weights that are unpacked just before their use, as many as a near cache holds. */
  get panel(): Operand {
    this.reservedPanel ??= this.reserve(PANEL);
    return this.reservedPanel;
  }

  /** Reserves floats in the chunk's memory for each image, a number of times. */
  reserveForImages(times: number, count: number): Operand {
    const offset = this.chunkFloats;
    const stride = wholeVectors(count);
    this.reservations.push({ offset, stride, times });
    this.chunkFloats += times * this.chunkImages * stride;
    return { base: CHUNK, offset, stride };
  }

  /** Reserves floats once in the chunk's memory for each image, or reuses freed memory if there is any. */
  allocateTemporary(count: number): Operand {
    return this.spare.get(wholeVectors(count))?.pop() ?? this.reserveForImages(1, count);
  }

  /** Frees memory for reuse. Nothing planned from now on may read its contents. */
  free(memory: Operand): void {
    const alike = this.spare.get(memory.stride) ?? [];
    alike.push(memory);
    this.spare.set(memory.stride, alike);
  }

  /** The index of a moving base; equal bases share one index. */
  movingBase(base: MovingBase): number {
    const key = Object.values(base).join('/');
    const known = this.indexOfBase.get(key) ?? this.movingBases.push(base) - 1;
    this.indexOfBase.set(key, known);
    return FIRST_MOVING + known;
  }

  /** Adds an operation at a time and some places. At the times of rows, it runs at once or, if there is one, in a sweep. */
  emit(time: number, code: Instruction, places = EVERYWHERE, sweep?: Sweep): void {
    const isOfRow = time === ROW || time === AFTER_ROW;
    const columns = this.width / places.every;
    const isAtOnce = isOfRow && sweep === undefined;
    const step = { places, code: isAtOnce ? { ...code, columns } : code, sweep: isOfRow ? sweep : undefined };
    this.steps[this.indexOfTime(time)]?.push(step);
  }

  /** The index of a time among {@link steps}. */
  indexOfTime(time: number): number {
    return Math.min(time - ONCE, this.steps.length - 1);
  }
}

/** How far around a node's features are read: rows, including the current one, and columns to either side. */
export interface Extent {
  readonly rows: number;
  readonly margin: number;
  /** Whether all pixels of a row are kept although no reader looks around, because they are read all at once. */
  readonly isWholeRow: boolean;
  /** Whether a row is last read before its first pixel, so that its memory can be reused. @default false */
  readonly isTemporary?: boolean;
}

export const ONE_PIXEL: Extent = { rows: 1, margin: 0, isWholeRow: false };

export const WHOLE_ROW: Extent = { rows: 1, margin: 0, isWholeRow: true };

/**
 * The features of one node in the heap: a ring of those rows that a kernel can still reach, [rows][images][margin +
 * columns + margin][slots], where the margins hold zeros. If no reader looks around, only one pixel is stored, unless
 * some features are computed for the whole row.
 */
export class FeatureCache {
  /** Whether only the current pixel is stored. */
  readonly isOnePixel: boolean;
  readonly places: Places;
  private readonly memory: Operand;
  private readonly rowStride: number;
  /** The moving base of each of its rows, by the number of rows above the current one. */
  private readonly bases: number[] = [];

  constructor(
    private readonly plan: Plan,
    readonly layout: Layout,
    private readonly extent: Extent,
    /** The distance in rows and columns of the image between places with features. */
    readonly scale = 1,
    /** How many levels there are, if it holds their numbers, counted from 1, and not one-hot vectors; else null. */
    readonly levels: number | null = null,
  ) {
    const { rows, margin, isWholeRow, isTemporary } = extent;
    const isKnownPerRow = isWholeRow || layout.times.some((time) => time === ROW || time === AFTER_ROW);
    this.isOnePixel = rows === 1 && margin === 0 && !isKnownPerRow;
    this.places = placesOfScale(scale);
    const pixels = this.isOnePixel ? 1 : plan.width / scale + 2 * margin;
    const floats = pixels * layout.slots;
    this.memory = isTemporary ? plan.allocateTemporary(floats) : plan.reserveForImages(rows, floats);
    this.rowStride = plan.chunkImages * this.memory.stride;
  }

  /** Declares that all readers are done, so that memory can be reused if the row is temporary. */
  release(): void {
    if (this.extent.isTemporary) this.plan.free(this.memory);
  }

  /** The features from a slot on, at the pixel `above` rows up and `left` columns left of the current one. */
  operand(slot = 0, above = 0, left = 0): Operand {
    const { base, offset, stride } = this.memory;
    if (this.isOnePixel) return { base, offset: offset + slot, stride };
    const { rowStride, scale } = this;
    const { slots } = this.layout;
    const { rows, margin } = this.extent;
    const start = offset + margin * slots;
    this.bases[above] ??= this.plan.movingBase({ start, rowStride, rows, scale, above, slots });
    return { base: this.bases[above], offset: slot - left * slots, stride, columnStride: slots };
  }
}
