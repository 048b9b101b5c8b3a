import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers } from '@tensorflow/tfjs-layers';

/** An entry is dead where the average one is chosen more than so many times as often. */
const RARITY = 20;

/**
 * The codebook of a VQ-VAE, between encoder and decoder: [N,h,w,D] -> [N,h,w,D], each vector replaced by the nearest entry. Gradients
 * pass straight through, from the decoder to the encoder (van den Oord et al. 2017, section 3.2).
 *
 * Entries have no gradient: each is a moving average of the vectors that chose it (Razavi et al. 2019, section 2.1), the average of
 * their sums over that of their counts. Those that die are put where vectors are.
 *
 * Weights: entries [K,D], counts [K], sums [K,D].
 */
export class Codebook extends layers.Layer {
  static className = 'Codebook';

  /** @param {{ numEntries: number, decay: number, name?: string }} args K, and how much of the averages is kept at each step */
  constructor(args) {
    super(args);
    this.numEntries = args.numEntries;
    this.decay = args.decay;
  }

  getConfig() {
    const { numEntries, decay } = this;
    return { ...super.getConfig(), numEntries, decay };
  }

  build(inputShape) {
    const features = inputShape[3];
    const add = (name, shape) =>
      this.addWeight(name, shape, 'float32', initializers.zeros(), undefined, false);
    this.entries = add('entries', [this.numEntries, features]);
    this.counts = add('counts', [this.numEntries]);
    this.sums = add('sums', [this.numEntries, features]);
    super.build(inputShape);
  }

  call(inputs) {
    return this.quantize([inputs].flat()[0]);
  }

  /** The nearest entries [N,h,w,D]. Their gradient is the vectors'. */
  quantize(vectors) {
    const straight = tf.customGrad((x) => ({ value: this.lookUp(this.codesOf(x)), gradFunc: (dy) => dy }));
    return straight(vectors);
  }

  /** The mean squared distance of vectors from their entries, with a gradient only for the vectors. */
  distance(vectors) {
    const squared = tf.customGrad((x, save) => {
      const apart = tf.sub(x, this.lookUp(this.codesOf(x))); // [N,h,w,D]
      save([apart]);
      return {
        value: tf.mean(tf.square(apart)),
        gradFunc: (dy, [saved]) => tf.mul(tf.mul(dy, 2 / saved.size), saved),
      };
    });
    return squared(vectors);
  }

  /** The number of the entry nearest to each vector: [N,h,w,D] -> [N,h,w], int32 */
  codesOf(vectors) {
    const [n, h, w, features] = vectors.shape;
    return tf.tidy(() => {
      const entries = this.entries.read();
      const rows = tf.reshape(vectors, [n * h * w, features]); // [M,D]
      const products = tf.matMul(rows, tf.transpose(entries)); // [M,K]
      // |x - e|^2 = |x|^2 - 2 (x e - |e|^2 / 2): least where the parenthesis is greatest
      const nearness = tf.sub(products, tf.div(tf.sum(tf.square(entries), 1), 2));
      return tf.reshape(tf.argMax(nearness, 1), [n, h, w]);
    });
  }

  /** The entries of codes: [N,h,w] -> [N,h,w,D] */
  lookUp(codes) {
    return tf.gather(this.entries.read(), codes);
  }

  /** Moves the averages, and so the entries, towards these vectors [N,h,w,D]. */
  update(vectors) {
    tf.tidy(() => {
      const [n, h, w, features] = vectors.shape;
      const rows = tf.reshape(vectors, [n * h * w, features]); // [M,D]
      const codes = tf.reshape(this.codesOf(vectors), [n * h * w]); // [M]
      const chosen = tf.transpose(tf.cast(tf.oneHot(codes, this.numEntries), 'float32')); // [K,M]
      const average = (weight, present) =>
        tf.add(tf.mul(weight.read(), this.decay), tf.mul(present, 1 - this.decay));
      this.counts.write(average(this.counts, tf.sum(chosen, 1)));
      this.sums.write(average(this.sums, tf.matMul(chosen, rows)));
      this.entries.write(tf.div(this.sums.read(), tf.expandDims(this.counts.read(), 1))); // [K,D] / [K,1]
    });
  }

  /**
   * Moves each dead entry, as all are at first, to one of the vectors [N,h,w,D].
   *
   * @param {tf.Tensor4D} vectors of a batch
   * @param {() => number} random uniform in [0, 1)
   * @returns {Promise<number>} how many were dead
   */
  async revive(vectors, random) {
    const weights = [this.entries, this.counts, this.sums];
    const read = [vectors, ...weights.map((weight) => weight.read())].map((tensor) => tensor.data());
    const [places, entries, counts, sums] = await Promise.all(read);
    const features = vectors.shape[3];
    const average = places.length / features / this.numEntries; // times that an entry is chosen of a batch
    const dead = [...counts.keys()].filter((code) => counts[code] * RARITY < average);
    for (const code of dead) {
      const from = features * Math.floor((random() * places.length) / features);
      counts[code] = average;
      for (let d = 0; d < features; d++) {
        entries[code * features + d] = places[from + d];
        sums[code * features + d] = places[from + d] * average;
      }
    }
    tf.tidy(() => {
      for (const [i, numbers] of [entries, counts, sums].entries())
        weights[i].write(tf.tensor(numbers, weights[i].shape));
    });
    return dead.length;
  }
}
tf.serialization.registerClass(Codebook);
