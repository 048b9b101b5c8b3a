import { type Instruction, type Operand, wholeVectors } from '../kernels/instruction';
import { AFTER_ROW, ONCE, ROW } from '../program/readiness';
import type { Layout } from './layout';
import { EVERYWHERE, type Places, placesOfScale } from './places';

/** A function of the user's own, of features of one pixel: what no instruction does. */
export interface Closure {
  readonly fn: (x: number) => number;
  readonly y: Operand;
  readonly a: Operand;
  /** Where the features lie after each operand. */
  readonly slots: readonly (readonly [y: number, a: number])[];
}

/** From which end places of a row are gone over, one after the other. */
export type Sweep = 'fromLeft' | 'fromRight';

/** What is done at some places. */
export interface Step {
  readonly places: Places;
  readonly code: Instruction | Closure;
  /** Where it is of a whole row, but each place of it by itself. */
  readonly sweep: Sweep | undefined;
}

/** What is done at one time, in order. */
export type Steps = readonly Step[];

/** A base that follows the present pixel through rows used in turn. Numbers count floats. */
export interface MovingBase {
  /** Of row 0, column 0, from the chunk's memory on. */
  readonly start: number;
  readonly rowStride: number;
  /** Rows kept. */
  readonly rows: number;
  /** Of the image, from one of the rows or columns that there are to the next. */
  readonly scale: number;
  /** How many of the rows that there are above the present one it is. */
  readonly above: number;
  /** Floats from column to column. */
  readonly slots: number;
}

/** Floats of each image of a chunk, so many times over. */
export interface Reservation {
  readonly offset: number;
  readonly stride: number;
  readonly times: number;
}

/** Numbers written into the heap at first, from a position on. */
export interface Fill {
  readonly at: number;
  readonly length: number;
  /** Writes them over zeros: not before there is a heap, since weights are most of what memory holds. */
  readonly write: (to: Float32Array) => void;
}

/** Bases of every table: the start of the heap, the start of the chunk's memory; moving bases follow. */
export const HEAP = 0;
export const CHUNK = 1;
export const FIRST_MOVING = 2;

/**
 * Images computed together: enough to share each weight that is loaded, few enough for their features to stay
 * in the cache.
 */
const CHUNK_IMAGES = 32;

/** How many of so many images are computed together, in chunks of one size as far as can be. */
export const imagesTogether = (numImages: number): number =>
  Math.ceil(numImages / Math.ceil(numImages / CHUNK_IMAGES));

/** Lays a program out over the heap and over the times of a pixel, before the heap is made. */
export class Plan {
  /** Floats of the heap that all chunks share. */
  sharedFloats = 0;
  /** Floats of a chunk's own memory. */
  chunkFloats = 0;
  /** What each image has of it. */
  readonly reservations: Reservation[] = [];
  readonly fills: Fill[] = [];
  readonly movingBases: MovingBase[] = [];
  /** By what tells them apart. */
  private readonly indexOfBase = new Map<string, number>();
  /** Memory that was given back, by its stride. */
  private readonly spare = new Map<number, Operand[]>();
  private readonly all: Step[][];

  constructor(
    /** Images that are computed together. */
    readonly chunkImages: number,
    readonly width: number,
    readonly channels: number,
  ) {
    this.all = Array.from({ length: numTimes(channels) }, () => []);
  }

  /** Takes so many floats for all chunks, from a multiple of 4 on. */
  reserve(count: number): Operand {
    const offset = this.sharedFloats;
    this.sharedFloats += wholeVectors(count);
    return { base: HEAP, offset, stride: 0 };
  }

  /** Takes floats for all chunks, with these numbers. */
  constant(values: Float32Array): Operand {
    return this.written(values.length, (to) => to.set(values));
  }

  /** The same with numbers that a function writes, over zeros. */
  written(length: number, write: Fill['write']): Operand {
    const operand = this.reserve(length);
    this.fills.push({ at: operand.offset, length, write });
    return operand;
  }

  /** Takes so many floats for each image, so many times, of the chunk's memory. */
  reserveForImages(times: number, count: number): Operand {
    const offset = this.chunkFloats;
    const stride = wholeVectors(count);
    this.reservations.push({ offset, stride, times });
    this.chunkFloats += times * this.chunkImages * stride;
    return { base: CHUNK, offset, stride };
  }

  /** The same, once, of memory that was given back where there is such. */
  borrowForImages(count: number): Operand {
    return this.spare.get(wholeVectors(count))?.pop() ?? this.reserveForImages(1, count);
  }

  /** Lets others borrow memory: what is done from now on does not read what is in it. */
  giveBack(memory: Operand): void {
    const alike = this.spare.get(memory.stride) ?? [];
    alike.push(memory);
    this.spare.set(memory.stride, alike);
  }

  /** The index of a moving base, one for all who ask for the same. */
  movingBase(base: MovingBase): number {
    const key = Object.values(base).join('/');
    const known = this.indexOfBase.get(key) ?? this.movingBases.push(base) - 1;
    this.indexOfBase.set(key, known);
    return FIRST_MOVING + known;
  }

  /**
   * Adds what is to be done at a time and at some places: before or after a row, for all of them that it has, at once or in a
   * sweep.
   */
  emit(time: number, code: Instruction | Closure, places = EVERYWHERE, sweep?: Sweep): void {
    const isOfRow = time === ROW || time === AFTER_ROW;
    const columns = this.width / places.every;
    const isAtOnce = isOfRow && sweep === undefined && !('fn' in code);
    const step = {
      places,
      code: isAtOnce ? { ...code, columns } : code,
      sweep: isOfRow && 'fn' in code ? 'fromLeft' : sweep,
    } as const;
    this.all[indexOfTime(time, this.channels)]?.push(step);
  }

  /** What is done at each time, by {@link indexOfTime}. */
  get steps(): readonly Steps[] {
    return this.all;
  }
}

/** How many times there are: once, before a row, before and after each channel of a pixel, after a row. */
const numTimes = (channels: number) => channels + 2 - ONCE;

/** The index of a time among all. */
export const indexOfTime = (time: number, channels: number): number =>
  Math.min(time - ONCE, numTimes(channels) - 1);

/** How far a node's features are read: rows with the present one, columns to either side. */
export interface Extent {
  readonly rows: number;
  readonly margin: number;
  /** Whether the pixels of a row are kept although none is looked around in: all are read at once. */
  readonly isWholeRow: boolean;
  /** Whether a row is made and read before its first pixel, and never again: others may then have its memory. @default false */
  readonly isPassing?: boolean;
}

/** Nothing but the present pixel. */
export const ONE_PIXEL: Extent = { rows: 1, margin: 0, isWholeRow: false };

/** The pixels of the present row. */
export const WHOLE_ROW: Extent = { rows: 1, margin: 0, isWholeRow: true };

/**
 * The features of one node in the heap: only the rows that a kernel can still reach, in turn,
 * [rows][images][margin + columns + margin][slots], where the margins hold zeros. A node that nobody looks
 * around in has one pixel, unless it has features that are computed for the whole row.
 */
export class FeatureCache {
  /** Whether there is but the present pixel. */
  readonly isOnePixel: boolean;
  /** Where it has features. */
  readonly places: Places;
  private readonly memory: Operand;
  private readonly rowStride: number;
  /** The moving base of each of its rows, by how many rows above the present one it is. */
  private readonly bases: number[] = [];

  constructor(
    private readonly plan: Plan,
    readonly layout: Layout,
    private readonly extent: Extent,
    /** It has features at every so many rows and columns of the image. */
    readonly scale = 1,
  ) {
    const { rows, margin, isWholeRow, isPassing } = extent;
    const isKnownPerRow = isWholeRow || layout.times.some((time) => time === ROW || time === AFTER_ROW);
    this.isOnePixel = rows === 1 && margin === 0 && !isKnownPerRow;
    this.places = placesOfScale(scale);
    const pixels = this.isOnePixel ? 1 : plan.width / scale + 2 * margin;
    const floats = pixels * layout.slots;
    this.memory = isPassing ? plan.borrowForImages(floats) : plan.reserveForImages(rows, floats);
    this.rowStride = plan.chunkImages * this.memory.stride;
  }

  /** Says that all who read it have done so; of use where it is passing. */
  release(): void {
    if (this.extent.isPassing) this.plan.giveBack(this.memory);
  }

  /**
   * The features from a slot on, of the pixel so many of its rows above the present one and columns to the left of
   * it.
   */
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
