import * as tf from '@tensorflow/tfjs-core';
import { imageBatches } from 'pixelcnn-layers/data';
import { randomNumbers } from '../../kit/random.mjs';

/** The weight of the commitment loss: beta of van den Oord et al. 2017, equation 3. */
const COMMITMENT = 0.25;
/** The number of steps between revivals of dead entries. */
const REVIVAL = 20;
/** Images encoded or decoded at a time. */
const AT_ONCE = 100;

/**
 * @typedef {import('@tensorflow/tfjs-layers').LayersModel} LayersModel
 * @typedef {import('pixelcnn-layers/data').ImageSet} ImageSet
 */

/** The layers of a VQ-VAE: encoder, codebook and decoder. */
const partsOf = (model) => ['encoder', 'codebook', 'decoder'].map((name) => model.getLayer(name));

/**
 * Makes a function that trains a VQ-VAE for a step. The loss is the share of the images' variance that is not
 * reconstructed, plus the commitment.
 *
 * @param {LayersModel} model
 * @param {ImageSet} images
 * @param {{ batch: number, seed: number, firstStep: number }} options
 * @returns {(step: number) => Promise<number>}
 */
export function vqVaeTraining(model, images, { batch, seed, firstStep }) {
  const [encoder, codebook, decoder] = partsOf(model);
  const variance = varianceOf(images);
  const weights = model.trainableWeights.map((weight) => weight.read());
  const batches = imageBatches(images, { batchSize: batch, seed, firstStep })[Symbol.iterator]();

  return async (step) => {
    const { xs, ys } = batches.next().value; // [B,H,W,C]
    if (step % REVIVAL === 0) {
      const vectors = encoder.predict(xs); // [B,h,w,D]
      await codebook.revive(vectors, randomNumbers(`${seed}/revival/${step}`));
      vectors.dispose();
    }
    let vectors;
    const loss = model.optimizer.minimize(
      () => {
        vectors = tf.keep(encoder.apply(xs)); // [B,h,w,D]
        const images = decoder.apply(codebook.quantize(vectors)); // [B,H,W,C]
        const error = tf.mean(tf.squaredDifference(images, xs));
        const commitment = tf.mul(codebook.distance(vectors), COMMITMENT);
        return tf.add(tf.div(error, variance), commitment);
      },
      true,
      weights,
    );
    codebook.update(vectors);
    const [value] = await loss.data();
    tf.dispose([loss, vectors, xs, ys]);
    return value;
  };
}

/** The mean squared distance of intensities in [0, 1] from their mean. */
export function varianceOf({ data, levels }) {
  let [sum, squares] = [0, 0];
  for (const level of data) {
    sum += level;
    squares += level * level;
  }
  return (squares / data.length - (sum / data.length) ** 2) / (levels - 1) ** 2;
}

/**
 * The codes of images [N,H,W,C]: an image set [N,h,w,1], whose levels are the entries of the codebook.
 *
 * @param {LayersModel} model
 * @param {ImageSet} images
 * @returns {Promise<ImageSet>}
 */
export async function encode(model, images) {
  const [encoder, codebook] = partsOf(model);
  const [, height, width] = encoder.outputs[0].shape;
  const [count] = images.shape;
  const levels = codebook.numEntries;
  const data = new (levels <= 256 ? Uint8Array : Uint16Array)(count * height * width);
  let at = 0;
  for (const { xs, ys } of imageBatches(images, { batchSize: AT_ONCE, shuffle: false, repeat: false })) {
    const codes = tf.tidy(() => codebook.codesOf(encoder.predict(xs))); // [n,h,w]
    data.set(await codes.data(), at);
    at += codes.size;
    tf.dispose([codes, xs, ys]);
  }
  return { data, shape: [count, height, width, 1], levels, labels: images.labels };
}

/**
 * The images of codes: levels [N,H,W,C], one image after the other.
 *
 * @param {LayersModel} model
 * @param {{ data: ArrayLike<number>, shape: number[] }} codes [N,h,w,1]
 * @param {number} levels
 * @returns {Promise<Uint8Array | Uint16Array>}
 */
export async function decode(model, { data, shape: [count, height, width] }, levels) {
  const [, codebook, decoder] = partsOf(model);
  const size = height * width;
  const parts = [];
  for (let from = 0; from < count; from += AT_ONCE) {
    const to = Math.min(from + AT_ONCE, count);
    const images = tf.tidy(() => {
      const codes = tf.tensor3d(Int32Array.from(data.slice(from * size, to * size)), [
        to - from,
        height,
        width,
      ]); // [n,h,w]
      const intensities = decoder.predict(codebook.lookUp(codes)); // [n,H,W,C]
      return tf.round(tf.mul(tf.clipByValue(intensities, 0, 1), levels - 1));
    });
    parts.push(await images.data());
    images.dispose();
  }
  const all = new (levels <= 256 ? Uint8Array : Uint16Array)(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  for (const [i, part] of parts.entries()) all.set(part, i * parts[0].length);
  return all;
}
