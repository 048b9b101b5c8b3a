import {
  encode,
  INSTRUCTION_WORDS,
  type Instruction,
  type Operand,
  type SamplingKernels,
  Word,
} from '../kernels/instruction';
import type { makeKernels } from '../kernels/webassembly';
import { AFTER_ROW, type ONCE, ROW } from '../program/times';
import { firstAlike, hasColumn, hasRow } from './places';
import { CHUNK, FIRST_MOVING, HEAP, type MovingBase, type Plan, type Step, type Sweep } from './plan';

/** Images that are computed together, in their own memory with their own table of bases. */
interface Chunk {
  readonly first: number;
  readonly images: number;
  /** The start of the table in the heap. */
  readonly table: number;
  readonly bases: Int32Array;
  readonly at: (operand: Operand) => number;
}

/** A step, and the position of its instruction in the heap. */
interface EncodedStep extends Step {
  readonly at: number;
}

/** Consecutive instructions, [start, end) in the heap, and how to run them, see {@link Step}. */
interface Segment extends Pick<Step, 'places' | 'sweep'> {
  readonly start: number;
  end: number;
  readonly steps: EncodedStep[];
}

/** Multiplications between pauses: a few milliseconds of work, or 0.1 s of the slowest functions. */
const PART = 2 ** 22;

/** A program in the heap, ready to run: weights, each chunk's memory, tables of bases, instructions. */
export class Machine {
  readonly heap: Float32Array;
  readonly chunks: readonly Chunk[];
  private readonly kernels: SamplingKernels;
  private readonly steps: readonly (readonly EncodedStep[])[];
  /** The coarsest spacing of the places of any step, in rows or columns of the image. */
  private readonly every: number;
  /** The segments to run at each time, shared by places that are {@link alike}. */
  private readonly segments = new Map<number, readonly (readonly Segment[])[]>();
  /** The segments to run at each time at the current place. */
  private due: readonly (readonly Segment[])[];
  private readonly rowStarts: Int32Array;
  /** The images to compute: some chunks, the last one perhaps in part. */
  active: readonly Chunk[];
  /** The current row; -1 before the first. */
  row = -1;
  private column = -1;

  constructor(
    readonly plan: Plan,
    numImages: number,
    make: typeof makeKernels,
  ) {
    const { sharedFloats, chunkFloats, chunkImages, movingBases, steps } = plan;
    const numChunks = Math.ceil(numImages / chunkImages);
    const tableWords = FIRST_MOVING + movingBases.length;
    const tables = sharedFloats + numChunks * chunkFloats;
    const codeStart = tables + numChunks * tableWords;
    const codeWords = INSTRUCTION_WORDS * steps.flat().length;
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
    this.active = this.chunks;
    for (const { at, length, write } of plan.fills) write(heap.subarray(at, at + length));
    plan.fills.length = 0; // else they would hold the last weight that was unpacked
    let next = codeStart;
    this.steps = steps.map((ofTime) =>
      ofTime.map((step) => {
        const at = next;
        encode(heap, at, step.code);
        next += INSTRUCTION_WORDS;
        return { ...step, at };
      }),
    );
    this.every = steps.flat().reduce((most, { places }) => Math.max(most, places.every), 1);
    this.due = this.dueAt(0, 0);
  }

  reset(): void {
    const [{ bases, table }] = this.chunks as [Chunk, ...Chunk[]];
    this.heap.fill(0, bases[CHUNK], table); // the memory of all chunks lies before their tables
    this.row = -1;
  }

  /** From now on, computes only the first `numImages` images. */
  computeFirst(numImages: number): void {
    this.active = this.chunks
      .filter(({ first }) => first < numImages)
      .map((chunk) => ({ ...chunk, images: Math.min(chunk.images, numImages - chunk.first) }));
  }

  moveTo(row: number, column: number): void {
    if (row === this.row && column === this.column) return;
    const { movingBases } = this.plan;
    if (row !== this.row) {
      for (const [i, { start, rowStride, rows, scale, above }] of movingBases.entries()) {
        this.rowStarts[i] = start + ((Math.floor(row / scale) + rows - above) % rows) * rowStride;
      }
    }
    this.row = row;
    this.column = column;
    if (this.every > 1) this.due = this.dueAt(row, column);
    for (const chunk of this.chunks) {
      for (let i = 0; i < movingBases.length; i++) this.moveBase(chunk, i, column);
    }
  }

  private moveBase({ bases }: Chunk, i: number, column: number): void {
    const { slots, scale, isShared } = this.plan.movingBases[i] as MovingBase;
    const start = isShared ? 0 : (bases[CHUNK] as number);
    const columns = Math.floor(column / scale);
    bases[FIRST_MOVING + i] = start + (this.rowStarts[i] as number) + columns * slots;
  }

  /** Runs what is due at a time of the current pixel, or {@link ONCE}, for all images. */
  run(time: number): void {
    const segments = this.due[this.plan.indexOfTime(time)] as readonly Segment[];
    for (const chunk of this.active) {
      for (const { start, end } of segments) this.kernels.run(start, end, chunk.table, chunk.images);
    }
  }

  /** Moves to the first pixel of the row, and runs what is due for the row, in parts, so that other work can run. */
  *rowInParts(time: typeof ROW | typeof AFTER_ROW): Generator<void> {
    this.moveTo(this.row, 0);
    const segments = this.due[this.plan.indexOfTime(time)] as readonly Segment[];
    for (const chunk of this.active) {
      for (const segment of segments) {
        if (segment.sweep !== undefined) yield* this.sweep(segment, segment.sweep, chunk);
        else if (workOfRow(segment.steps) * chunk.images > PART) yield* this.runInParts(segment.steps, chunk);
        else this.kernels.run(segment.start, segment.end, chunk.table, chunk.images);
      }
    }
  }

  /** Runs the instructions of a row one by one, each on some of the columns at a time. */
  private *runInParts(steps: readonly EncodedStep[], chunk: Chunk): Generator<void> {
    const { kernels } = this;
    const { images } = chunk;
    for (const { code, at, places } of steps) {
      const { columns = 0 } = code;
      const most = Math.max(1, Math.floor(PART / (images * workOf(code))));
      const bases = movingBasesOf(code);
      for (let first = 0; first < columns; first += most) {
        for (const base of bases) this.moveBase(chunk, base, first * places.every);
        kernels.words[at + Word.columns] = Math.min(most, columns - first);
        kernels.run(at, at + INSTRUCTION_WORDS, chunk.table, images);
        yield;
      }
      kernels.words[at + Word.columns] = columns;
      for (const base of bases) this.moveBase(chunk, base, 0);
    }
  }

  /** The segments to run at each time at a place, or for its row at the times of whole rows. */
  private dueAt(row: number, column: number): readonly (readonly Segment[])[] {
    const { every, segments } = this;
    const [likeRow, likeColumn] = [firstAlike(row, every), firstAlike(column, every)];
    const key = likeRow * 2 * every + likeColumn;
    const known = segments.get(key);
    if (known !== undefined) return known;
    const rowTimes = [ROW, AFTER_ROW].map((time) => this.plan.indexOfTime(time));
    const due = this.steps.map((steps, time) => {
      const isDue = ({ places }: Step) =>
        hasRow(places, likeRow) && (rowTimes.includes(time) || hasColumn(places, likeColumn));
      return inSegments(steps.filter(isDue));
    });
    segments.set(key, due);
    return due;
  }

  /** Runs a segment at each place of the current row in turn. The current pixel is the first one, before and after. */
  private *sweep(segment: Segment, from: Sweep, chunk: Chunk): Generator<void> {
    const { start, end, places } = segment;
    // Moves only the segment's bases, since moving all would take longer with every node.
    const bases = new Set(segment.steps.flatMap(({ code }) => movingBasesOf(code)));
    const columns = Math.ceil((this.plan.width - places.column) / places.every);
    for (let i = 0; i < columns; i++) {
      const column = places.column + places.every * (from === 'fromLeft' ? i : columns - 1 - i);
      for (const base of bases) this.moveBase(chunk, base, column);
      this.kernels.run(start, end, chunk.table, chunk.images);
      if (i % SWEPT === SWEPT - 1) yield;
    }
    for (const base of bases) this.moveBase(chunk, base, 0);
  }
}

/** The number of columns between the pauses of a sweep. */
const SWEPT = 64;

/** About how many multiplications an instruction takes for an image, per column if it is for a whole row. */
function workOf({ op, length, inputs = 0 }: Instruction): number {
  const hasInputs = op === 'product' || op === 'productPacked' || op === 'lookup' || op === 'attend';
  return hasInputs ? length * Math.max(1, inputs) : length;
}

const workOfRow = (steps: readonly Step[]): number =>
  steps.reduce((work, { code }) => work + (code.columns ?? 0) * workOf(code), 0);

/** Replaces image n by image from[n], for all n, by copying all of its memory. */
export function copyMemory({ heap, chunks, plan }: Machine, from: Int32Array): void {
  const { chunkImages, reservations } = plan;
  const moved = from.map((_, n) => n).filter((n) => from[n] !== n);
  const longest = reservations.reduce((most, { stride }) => Math.max(most, stride), 0);
  const held = new Float32Array(moved.length * longest);
  for (const { offset, stride, times } of reservations) {
    for (let time = 0; time < times; time++) {
      const startOf = (image: number) => {
        const { bases } = chunks[Math.floor(image / chunkImages)] as Chunk;
        return (bases[CHUNK] as number) + offset + (time * chunkImages + (image % chunkImages)) * stride;
      };
      for (const [i, n] of moved.entries()) {
        const start = startOf(from[n] as number);
        held.set(heap.subarray(start, start + stride), i * stride);
      }
      for (const [i, n] of moved.entries()) {
        heap.set(held.subarray(i * stride, (i + 1) * stride), startOf(n));
      }
    }
  }
}

/** Groups steps, in order, into segments of instructions that are consecutive in the heap and run alike. */
function inSegments(steps: readonly EncodedStep[]): Segment[] {
  const segments: Segment[] = [];
  for (const step of steps) {
    const { places, sweep, at } = step;
    let segment = segments.at(-1);
    const isLike = segment?.sweep === sweep && (sweep === undefined || segment?.places === places);
    if (segment?.end !== at || !isLike) {
      segment = { start: at, end: at, steps: [], places, sweep };
      segments.push(segment);
    }
    segment.end += INSTRUCTION_WORDS;
    segment.steps.push(step);
  }
  return segments;
}

/** The indices of the operands' bases among the moving bases. */
function movingBasesOf({ y, a, b, c }: Instruction): number[] {
  return [y, a, b, c].map((operand) => (operand?.base ?? HEAP) - FIRST_MOVING).filter((base) => base >= 0);
}
