import { type ImageShape, type Place, placeOf, valuesOf } from '../core/images';
import { inParts, type Pause } from '../core/pauses';
import type { CurrentPixels } from '../distributions/pixel-distribution';

/** Computes the outputs for each value, given all values before it. */
export interface OutputSource {
  /** Computes all that is due before a row, in parts, so that other work can run. Otherwise `outputs` does so. */
  beginRow?(row: number): Iterable<void>;
  /** The outputs for a value of every image evaluated, [images, outputStride]. Valid until the next call. */
  outputs(row: number, column: number, channel: number): Float32Array | Promise<Float32Array>;
  /** Sets the levels at this place, drawn or given, [images]. */
  put(row: number, column: number, channel: number, levels: ArrayLike<number>): void;
  /** From here on, evaluates only the first `numImages` images. The others stay unchanged. */
  evaluateFirst(numImages: number): void;
  /** Replaces image n by image from[n], for all n, [images]. */
  copy(from: Int32Array): void;
  /** Called when all images are done, so that later jobs can reuse memory. */
  release?(): void;
  /** Releases tensors, if it has any. */
  dispose?(): void;
}

/** How a job pauses for other work, stops, and reports progress. */
export interface Pace {
  readonly signal: AbortSignal | undefined;
  readonly pause: Pause;
  /** Called after each row, with the number of values done in each image. */
  onRow(done: number): Promise<void> | undefined;
}

/** Images that grow together value by value, in the order rows, columns, channels. */
export function growingImages<Source extends OutputSource>(
  source: Source,
  imageShape: ImageShape,
  numImages: number,
) {
  const total = valuesOf(imageShape);
  const rowSize = total / imageShape[0];
  const numChannels = imageShape[2];
  const ofPixel = new Int32Array(numImages * numChannels); // the levels of the current pixel so far, [images, C]
  return {
    source,
    /** Visits all values. `visit` must put each, and may return a promise. */
    async eachValue(
      { signal, pause, onRow }: Pace,
      visit: (place: Place, index: number) => unknown,
    ): Promise<void> {
      for (let index = 0; index < total; index++) {
        signal?.throwIfAborted();
        const place = placeOf(index, imageShape);
        if (index % rowSize === 0 && source.beginRow) await inParts(source.beginRow(place[0]), pause, signal);
        const visited = visit(place, index);
        if (visited instanceof Promise) await visited; // awaiting every value would take time
        if ((index + 1) % rowSize === 0) await onRow(index + 1);
        const paused = pause();
        if (paused !== undefined) await paused;
      }
    },
    /** The input of distributions for a value of this channel. */
    current: (outputs: Float32Array, channel: number): CurrentPixels => ({
      outputs,
      channel,
      levels: ofPixel,
    }),
    /** Sets the levels at a place, [images evaluated]. */
    put([row, column, channel]: Place, levels: ArrayLike<number>): void {
      source.put(row, column, channel, levels);
      for (let n = 0; n < levels.length; n++) ofPixel[n * numChannels + channel] = levels[n] as number;
    },
    /** Replaces image n by image from[n], for all n, [images]. */
    copy(from: Int32Array): void {
      source.copy(from);
      const before = ofPixel.slice();
      for (const [n, image] of from.entries()) {
        ofPixel.set(before.subarray(image * numChannels, (image + 1) * numChannels), n * numChannels);
      }
    },
  };
}
