import { INSTRUCTION_WORDS, type Operand } from '../../kernels/instruction';
import type { SamplingKernels } from '../../kernels/sampling-kernels';
import { ONCE, ROW } from '../../program/steps';
import { CHUNK, FIRST_MOVING, type MovingBase, type Plan } from './plan';
import { encodeSteps, type Segment } from './segments';

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

/** A program in the heap, ready to run: weights, each chunk's memory, tables of bases, instructions. */
export class Machine {
  readonly heap: Float32Array;
  readonly chunks: readonly Chunk[];
  readonly width: number;
  private readonly kernels: SamplingKernels;
  private readonly steps: readonly (readonly Segment[])[];
  private readonly rowStarts: Int32Array;
  private readonly movingBases: readonly MovingBase[];
  private row = -1;
  private column = -1;

  constructor(plan: Plan, numImages: number, make: (floats: number) => SamplingKernels) {
    const { sharedFloats, chunkFloats, chunkImages, movingBases, steps } = plan;
    this.movingBases = movingBases;
    this.width = plan.width;
    const numChunks = Math.ceil(numImages / chunkImages);
    const tableWords = FIRST_MOVING + movingBases.length;
    const tables = sharedFloats + numChunks * chunkFloats;
    const code = tables + numChunks * tableWords;
    const codeWords = INSTRUCTION_WORDS * steps.flat().filter((item) => typeof item !== 'function').length;
    this.kernels = make(code + codeWords);
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
    for (const fill of plan.fills) fill(heap);
    this.steps = encodeSteps(heap, code, steps);
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

  /** Runs a step of the present pixel, or what is done once, for all images. */
  run(step: number): void {
    const segments = this.steps[step - ONCE] as readonly Segment[];
    for (const { images, table, at } of this.chunks) {
      for (const segment of segments) {
        if (typeof segment === 'function') segment(this.heap, at, images);
        else this.kernels.run(segment.start, segment.end, table, images);
      }
    }
  }

  /**
   * Runs what is done for all pixels of the present row before its first one, and makes that the present one.
   */
  runRow(): void {
    this.moveTo(this.row, 0);
    for (const { images, table, at } of this.chunks) {
      for (const segment of this.steps[ROW - ONCE] as readonly Segment[]) {
        if (typeof segment === 'function') this.eachColumn(() => segment(this.heap, at, images));
        else this.kernels.run(segment.start, segment.end, table, images);
      }
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
