/** A trained model that comes with this package. */
export type ModelName =
  | 'characters'
  | 'characters-columns'
  | 'characters-small'
  | 'syllables-16'
  | 'syllables-gated'
  | 'digits'
  | 'digits-conditional'
  | 'digits-orders'
  | 'digits-28'
  | 'digits-28-background'
  | 'binarized-mnist'
  | 'binarized-mnist-orders'
  | 'clothes'
  | 'clothes-background'
  | 'mnist-256'
  | 'fashion-256'
  | 'emoji'
  | 'emoji-32'
  | 'tiles'
  | `magnet-${1.5 | 1.8 | 2.1 | 2.27 | 2.5 | 2.8 | 3.3 | 4}`;

/** What there is to know of a model before it is loaded. */
export interface ModelCard {
  /** [rows, columns, channels] */
  imageShape: [number, number, number];
  levels: number;
  /** How many classes it draws by, where it takes one. */
  classes?: number;
  /** Of test images that it has not seen; of its own images for a magnet, which learns from no images. */
  bitsPerDim: number;
  /** Of the model. README.md says what the images were licensed under. */
  licence: string;
  /** Of its file. */
  bytes: number;
}

/** The card of every model. */
export const models: Record<ModelName, ModelCard>;

/**
 * The address of a model's file, for `loadPortable`: in Node of a file, in a page beside this module, in a build the one that a
 * bundler gives it.
 *
 * @throws {TypeError} an unknown name, with those there are
 *
 * @example
 * ```js
 * import { loadPortable, sample } from 'pixelcnn-layers/runtime';
 * import { modelURL } from 'pixelcnn-models';
 * const model = await loadPortable(modelURL('characters')); // 24x24x1, 2 levels
 * const { data } = await sample(model, { seed: 1 }); // 576 values: 1 where there is ink
 * console.log(data.length); // 576
 * ```
 */
export function modelURL(name: ModelName | (string & {})): URL; // any string, and the names that an editor proposes
