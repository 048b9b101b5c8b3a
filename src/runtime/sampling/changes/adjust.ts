import { show } from '../../core/check';
import { type ImageShape, type Place, valuesOf } from '../../core/images';
import { normalizeLogProbs } from '../../distributions/logistic-mixture';
import type { Change } from './change';

/**
 * Changes the log-probabilities of the next value of all images in place, for {@link SampleOptions.adjust}.
 *
 * @param logProbs log-probabilities of every level, [N*L]; -Infinity forbids a level. Probabilities need not sum to 1
 * @param levelsSoFar the levels of all images, [N*H*W*C], read-only; 0 for later values
 * @param imageShape [H,W,C]
 */
export type Adjust = (
  logProbs: Float64Array,
  place: Place,
  levelsSoFar: Int32Array,
  imageShape: [height: number, width: number, channels: number],
) => void;

/** The images that a user's function is called for. */
interface Adjusted {
  readonly numImages: number;
  readonly imageShape: ImageShape;
  readonly firstImage: number;
  /** Log-probabilities are normalized unless guidance has changed them. */
  readonly guidance: number;
}

/** Changes by a user's function, which is called once for each version of the images, and is not trusted. */
export function adjustment(adjust: Adjust, levels: number, images: Adjusted): Change {
  const { numImages, imageShape, firstImage, guidance } = images;
  const total = valuesOf(imageShape);
  return (logProbs, { place, levelsSoFar }) => {
    for (let from = 0; guidance !== 0 && from < logProbs.length; from += levels)
      normalizeLogProbs(logProbs.subarray(from, from + levels));
    for (let from = 0; from < logProbs.length; from += numImages * levels) {
      const ofVersion = logProbs.subarray(from, from + numImages * levels);
      const first = from / levels;
      const soFar = levelsSoFar.subarray(first * total, (first + numImages) * total);
      checkReturned(adjust(ofVersion, place, soFar, [...imageShape]), ofVersion);
      for (let i = 0; i < ofVersion.length; i++) {
        const one = ofVersion[i] as number;
        if (one < Infinity) continue;
        const where = `level ${i % levels} of image ${firstImage + Math.floor(i / levels)}`;
        throw new Error(`sample: adjust: set log p to ${one}, for ${where} at [${place.join(', ')}]`);
      }
    }
  };
}
/** Checks that a user's function has not returned a new array or a promise. */
function checkReturned(returned: unknown, { buffer }: Float64Array): void {
  const isView = ArrayBuffer.isView(returned);
  if (isView && returned.buffer === buffer) return; // such as the result of `fill`
  if (isView || Array.isArray(returned) || returned instanceof Promise)
    throw new TypeError(
      `sample: adjust: wanted a function that changes log p in place, got one that returns ${show(returned)}`,
    );
}

/** Throws because `adjust` left no level of an image, or of any of its particles. */
export function leftNoLevel(
  { numImages, firstImage }: Pick<Adjusted, 'numImages' | 'firstImage'>,
  image: number,
  place: Place,
  particles = 1,
): never {
  const name = `image ${firstImage + (image % numImages)} at [${place.join(', ')}]`;
  const all = particles > 1 ? `any of the ${particles} particles of ${name}; try more` : name;
  throw new Error(`sample: adjust: left no level of ${all}`);
}
