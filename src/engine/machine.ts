import { encode, INSTRUCTION_WORDS, type Operand, type SamplingKernels } from '../kernels/instruction';
import type { AFTER_ROW, ONCE, ROW } from '../program/readiness';
import {
  CHUNK,
  type Closure,
  type Code,
  FIRST_MOVING,
  indexOfTime,
  type MovingBase,
  type Plan,
} from './plan';

/** Images that are computed together, with a memory and a table of bases of their own. */
interface Chunk {
  /** The first of them. */
  readonly first: number;
  readonly images: number;
  /** Where the table begins in the heap. */
  readonly table: number;
  /** Its words. */
  readonly bases: Int32Array;
  readonly at: (operand: Operand) => number;
}

/** Instructions that follow each other, [start, end) of the heap, or what is done in JavaScript. */
type Segment = { readonly start: number; end: number } | Closure;

/** A program in the heap, ready to run: weights, each chunk's memory, tables of bases, instructions. */
export class Machine {
  readonly heap: Float32Array;
  readonly chunks: readonly Chunk[];
  readonly width: number;
  private readonly kernels: SamplingKernels;
  private readonly segments: readonly (readonly Segment[])[];
  private readonly rowStarts: Int32Array;
  private readonly movingBases: readonly MovingBase[];
  private readonly channels: number;
  readonly chunkImages: number;
  readonly reservations: Plan['reservations'];
  private row = -1;
  private column = -1;

  constructor(plan: Plan, numImages: number, make: (floats: number) => SamplingKernels) {
    const { sharedFloats, chunkFloats, chunkImages, movingBases, code } = plan;
    this.movingBases = movingBases;
    this.reservations = plan.reservations;
    this.width = plan.width;
    this.channels = plan.channels;
    this.chunkImages = chunkImages;
    const numChunks = Math.ceil(numImages / chunkImages);
    const tableWords = FIRST_MOVING + movingBases.length;
    const tables = sharedFloats + numChunks * chunkFloats;
    const codeStart = tables + numChunks * tableWords;
    const codeWords = INSTRUCTION_WORDS * code.flat().filter((item) => !('fn' in item)).length;
    this.kernels = make(codeStart + codeWords);
    const { heap, words } = this.kernels;
    this.heap = heap;
    this.rowStarts = new Int32Array(movingBases.length);
    this.chunks = Array.from({ length: numChunks }, (_, k) => {
      const table = tables + k * tableWords;
      const bases = words.subarray(table, table + tableWords);
      bases[CHUNK] = sharedFloats + k * chunkFloats;
      const first = k * chunkImages;
      const images = Math.min(chunkImages, numImages - first);
      return { first, images, table, bases, at: ({ base, offset }) => (bases[base] as number) + offset };
    });
    for (const { at, values } of plan.fills) heap.set(values, at);
    this.segments = encodeAll(heap, codeStart, code);
  }

  /** Makes a pixel the present one. */
  moveTo(row: number, column: number): void {
    if (row === this.row && column === this.column) return;
    const { movingBases } = this;
    if (row !== this.row) {
      for (const [i, { start, rowStride, rows, above }] of movingBases.entries()) {
        this.rowStarts[i] = start + ((row + rows - above) % rows) * rowStride;
      }
    }
    this.row = row;
    this.column = column;
    for (const { bases } of this.chunks) {
      const chunkStart = bases[CHUNK] as number;
      for (let i = 0; i < movingBases.length; i++) {
        const { slots } = movingBases[i] as { slots: number };
        bases[FIRST_MOVING + i] = chunkStart + (this.rowStarts[i] as number) + column * slots;
      }
    }
  }

  /** Runs what is done at a time of the present pixel, or {@link ONCE}, for all images. */
  run(time: number): void {
    const segments = this.segments[indexOfTime(time, this.channels)] as readonly Segment[];
    if (segments.length === 0) return;
    for (const { images, table, at } of this.chunks) {
      for (const segment of segments) {
        if ('fn' in segment) this.apply(segment, at, images);
        else this.kernels.run(segment.start, segment.end, table, images);
      }
    }
  }

  /** Runs what is done for all pixels of the present row, and makes its first one the present one. */
  runRow(time: typeof ROW | typeof AFTER_ROW): void {
    this.moveTo(this.row, 0);
    for (const { images, table, at } of this.chunks) {
      for (const segment of this.segments[indexOfTime(time, this.channels)] as readonly Segment[]) {
        if ('fn' in segment) this.eachColumn(() => this.apply(segment, at, images));
        else this.kernels.run(segment.start, segment.end, table, images);
      }
    }
  }

  private apply({ fn, y, a, slots }: Closure, at: (operand: Operand) => number, images: number): void {
    const { heap } = this;
    for (let n = 0; n < images; n++) {
      const [yn, an] = [at(y) + n * y.stride, at(a) + n * a.stride];
      for (const [to, from] of slots) heap[yn + to] = fn(heap[an + from] as number);
    }
  }

  private eachColumn(act: () => void): void {
    for (let column = 0; column < this.width; column++) {
      this.moveTo(this.row, column);
      act();
    }
    this.moveTo(this.row, 0);
  }
}

/**
 * Image n goes on as image from[n]: it takes over all that that one has in memory. A function rather than a method, so
 * that bundles without a stepper leave it out.
 */
export function copyMemory({ heap, chunks, chunkImages, reservations }: Machine, from: Int32Array): void {
  for (const { offset, stride, times } of reservations) {
    for (let time = 0; time < times; time++) {
      const parts = chunks.map(({ bases, images }) => {
        const start = (bases[CHUNK] as number) + offset + time * chunkImages * stride;
        return heap.subarray(start, start + images * stride);
      });
      const before = parts.map((part) => part.slice());
      for (const [n, source] of from.entries()) {
        const k = source % chunkImages;
        const old = before[Math.floor(source / chunkImages)]?.subarray(k * stride, (k + 1) * stride);
        parts[Math.floor(n / chunkImages)]?.set(old as Float32Array, (n % chunkImages) * stride);
      }
    }
  }
}

/** Writes the instructions of each time into the heap, from `start` on. */
function encodeAll(heap: Float32Array, start: number, codes: readonly Code[]): Segment[][] {
  let end = start;
  return codes.map((code) => {
    const segments: Segment[] = [];
    for (const item of code) {
      if ('fn' in item) segments.push(item);
      else {
        encode(heap, end, item);
        append(segments, end, end + INSTRUCTION_WORDS);
        end += INSTRUCTION_WORDS;
      }
    }
    return segments;
  });
}

/** Instructions [start, end), as part of the last segment where they go on with it. */
function append(segments: Segment[], start: number, end: number): void {
  const last = segments.at(-1);
  if (last !== undefined && 'end' in last) last.end = end;
  else segments.push({ start, end });
}
