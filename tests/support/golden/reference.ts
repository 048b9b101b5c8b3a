import type * as tf from '@tensorflow/tfjs-core';
import { type AutoregressiveModel, logProb, normalize, toPortable } from 'pixelcnn-layers';
import { logProb as portableLogProb, readPortable, writePortable } from 'pixelcnn-layers/runtime';
import { expect } from 'vitest';
import { expectClose, type GoldenArray, golden4d, take } from '../tensors';

/** What an implementation elsewhere computes of images [N,H,W,1] or [N,H,W,C]. */
interface Reference {
  images: GoldenArray;
  outputs: GoldenArray;
  natsPerImage: readonly number[];
  condition?: { data: ArrayLike<number>; shape: readonly number[] };
  /** Of outputs. */
  tolerance: number;
  /** Of nats, relative to themselves. @default 1e-5 */
  ofNats?: number;
}

/** A network computes the outputs and likelihoods of a reference, also without tensors; it is disposed. */
export async function expectReference(model: AutoregressiveModel, reference: Reference): Promise<void> {
  const { ofNats = 1e-5 } = reference;
  const images = golden4d(reference.images, 'int32');
  const options = reference.condition === undefined ? {} : { condition: reference.condition };
  const outputs: tf.Tensor = model.predict(normalize(images, model.levels), options);
  expectClose(await take(outputs), reference.outputs.data, reference.tolerance);
  const nats = await take(await logProb(model, images, options));
  const portable = readPortable(writePortable(await toPortable(model)));
  const ofEngine = await portableLogProb(portable, { data: Uint8Array.from(reference.images.data), shape: images.shape }, options);
  for (const all of [nats, ofEngine])
    for (const [i, expected] of reference.natsPerImage.entries()) expect(Math.abs((all[i] as number) / -expected - 1)).toBeLessThan(ofNats);
  images.dispose();
  model.dispose();
}
