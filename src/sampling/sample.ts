import { checkArgs, checkOneOf } from '../core/check';
import { type Images, levelsArray, placeOf, valuesOf } from '../core/images';
import { TO_DRAW } from '../distributions/filters';
import { distributionOf, drawFor, guidedDrawFor } from '../distributions/readers';
import { evaluatorFor } from '../engine/evaluator';
import { checkModel, type PortableModel } from '../program/program';
import { checkSignal, type Job, pauses, planJob, type SampleOptions, sampleOptionNames } from './options';

/**
 * Draws images from a model, value by value in the order rows, columns, channels, each given all before it:
 * the tensor function `sample` of `pixelcnn-layers`, bit for bit, without tensors. See there for the law by
 * which a level is drawn, and what a seed means.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759,
 * section 2.1; "The Annotated Pixel-CNN", `generate_images`.
 *
 * @param model as `toPortable` makes it or `readPortable` reads it
 * @returns levels [N,H,W,C]: bytes up to 256 levels, 16-bit integers up to 65536
 * @throws TypeError (rejects) naming the option that is wrong; `signal.reason`, an AbortError by default,
 * where the signal aborts; Error where the model gives outputs that are not finite (a logit may be -Infinity, if another is not);
 * RangeError where there is not enough memory for so many images at a time.
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { sample } from 'pixelcnn-layers/runtime';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const portable = await toPortable(model); // or: readPortable(bytes of a file)
 * const { data, shape } = await sample(portable, { numImages: 2, seed: 1 });
 * console.log(data.constructor.name, shape); // Uint8Array [2, 4, 4, 1]
 * ```
 */
export async function sample(model: PortableModel, options: SampleOptions = {}): Promise<Images> {
  const job = planSample(model, options);
  const { numImages, imageShape, levels } = job;
  const evaluator = memoryFor('sample', () => evaluatorFor(model, { ...job, ...job.evaluated }));
  const drawn = await drawImages(evaluator, job, options);
  const data = memoryFor('sample', () => levelsArray(drawn.length, levels));
  data.set(drawn);
  return { data, shape: [numImages, ...imageShape] };
}

/** Checks the options of {@link sample}, all before anything is drawn. */
export function planSample(model: PortableModel, options: SampleOptions): Job {
  checkModel('sample: model', model);
  const { signal, strategy = 'auto' } = checkArgs('sample: options', options, sampleOptionNames);
  checkSignal('sample: signal', signal);
  checkOneOf('sample: strategy', strategy, ['auto', 'incremental']);
  return memoryFor('sample', () => planJob({ ...model, distribution: distributionOf(model) }, options));
}

/** What a job may need more than there is: says what to do. */
export function memoryFor<T>(caller: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new RangeError(`${caller}: ${cause.message}; fewer images at a time need less`, { cause });
  }
}

/**
 * What gives the outputs for one value, given all those before it in the order rows, columns, channels: an
 * evaluator of a program, or whole passes of a tfjs model.
 */
export interface OutputSource {
  /**
   * What the model gives of the value at this place for every image evaluated, [images, outputStride]; what pads a row is
   * unspecified. Valid until the next call.
   */
  outputs(row: number, column: number, channel: number): Float32Array | Promise<Float32Array>;
  /** Takes the levels drawn or given there, [images]. */
  put(row: number, column: number, channel: number, levels: ArrayLike<number>): void;
  /** Releases tensors, where it has any. */
  dispose?(): void;
}

/** The levels of all images, [N*H*W*C]. */
export async function drawImages(
  source: OutputSource,
  job: Job,
  { signal, onProgress }: Pick<SampleOptions, 'signal' | 'onProgress'>,
): Promise<Int32Array> {
  const { numImages, levels, given, isFirstUniform, guidance } = job;
  const numEvaluated = job.evaluated.numImages;
  const total = valuesOf(job.imageShape);
  const rowSize = total / job.imageShape[0];
  const [, , numChannels] = job.imageShape;
  const { images, uniforms, drawn, ofPixel, draw, noise } = memoryFor('sample', () => ({
    images: new Int32Array(numImages * total), // [N*H*W*C]
    uniforms: new Float64Array(numImages),
    drawn: new Int32Array(numEvaluated),
    ofPixel: new Int32Array(numEvaluated * numChannels),
    draw:
      guidance === 0
        ? drawFor(job.distribution, numImages, job.filters)
        : guidedDrawFor(job.distribution, numImages, job.filters, guidance),
    noise: job.startNoise(), // last: it takes longest
  }));
  const pause = pauses(job.yieldMilliseconds);

  for (let index = 0; index < total; index++) {
    signal?.throwIfAborted();
    const [row, column, channel] = placeOf(index, job.imageShape);
    noise(uniforms);
    let numToDraw = 0;
    for (let n = 0; n < numImages; n++) {
      drawn[n] = given?.[n * total + index] ?? TO_DRAW;
      if (drawn[n] === TO_DRAW) numToDraw++;
    }
    if (isFirstUniform && index === 0) {
      for (let n = 0; n < numImages; n++) {
        if (drawn[n] === TO_DRAW) drawn[n] = Math.floor((uniforms[n] as number) * levels);
      }
    } else if (numToDraw > 0) {
      const given = source.outputs(row, column, channel);
      const outputs = given instanceof Float32Array ? given : await given;
      draw({ outputs, channel, levels: ofPixel }, uniforms, drawn);
    }
    for (let n = 0; n < numImages; n++) images[n * total + index] = drawn[n] as number;
    if (guidance !== 0) drawn.copyWithin(numImages, 0, numImages); // the images without their class go on alike
    for (let n = 0; n < numEvaluated; n++) ofPixel[n * numChannels + channel] = drawn[n] as number;
    source.put(row, column, channel, drawn);

    const done = index + 1;
    if (done % rowSize === 0) onProgress?.({ done, total, levels: images });
    const paused = pause();
    if (paused !== undefined) await paused;
  }
  signal?.throwIfAborted();
  return images;
}
