import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { autoregressiveModel, bitsPerDim, causalAttention, logProb, maskedConv2d, pixelLogits, sample } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { collectMade, disposeAbandonedTape, restoreAdamPowersExactly, withoutLeakingSteps } from '../../src/models/tfjs-workarounds';
import { onEachBackend } from '../support/backends';
import { saveAndLoad } from '../support/models/memory-file';
import { scoped } from '../support/scoped';
import { expectClose, expectNoLeaks, noise, setNoise, take } from '../support/tensors';

onEachBackend('restoreAdamPowersExactly', () => {
  it('takes no longer for a damaged count of steps than the powers take to become constant', async () => {
    const adam = scoped(tf.train.adam(1e-3, 0.9, 0.999, 1e-7));
    restoreAdamPowersExactly(adam);
    const iter = scoped(tf.scalar(2e30));
    await adam.setWeights([{ name: 'iter', tensor: iter }]);
    for (const name of ['accBeta1', 'accBeta2'] as const) {
      const [power] = await (adam[name as never] as tf.Variable).data();
      expect(power).toBeLessThan(2 ** -126); // on GPUs 0
    }
  });

  it('leaves other optimizers as they are', () => {
    const sgd = scoped(tf.train.sgd(0.1));
    const { setWeights } = sgd;
    restoreAdamPowersExactly(sgd);
    expect(sgd.setWeights).toBe(setWeights);
  });
});

onEachBackend('withoutLeakingSteps', () => {
  it('disposes the step counts that saving made, on errors too', async () => {
    const sgd = scoped(tf.train.sgd(0.1));
    await expectNoLeaks(async () => {
      const names = await withoutLeakingSteps(sgd, async () => (await sgd.getWeights()).map(({ name }) => name));
      expect(names).toEqual(['iter']);
      const failing = withoutLeakingSteps(sgd, async () => {
        await sgd.getWeights();
        throw new Error('disk full');
      });
      await expect(failing).rejects.toThrow('disk full');
    });
  });
});

onEachBackend('disposeAbandonedTape', () => {
  const failing = (x: tf.Tensor) => {
    tf.square(x); // saves x
    throw new Error('from the loss');
  };

  it('lets go of what an error in a loss left behind', async () => {
    const weight = tf.variable(tf.scalar(3));
    await expectNoLeaks(() => {
      expect(() => tf.variableGrads(() => failing(weight))).toThrow('from the loss');
      disposeAbandonedTape();
      disposeAbandonedTape(); // nothing more to do
    });
    const { value, grads } = tf.variableGrads(() => tf.square(weight) as tf.Scalar); // gradients go on as before
    expect(await take(grads[weight.name] as tf.Tensor)).toEqual([6]);
    tf.dispose([value, weight]);
  });

  it('leaves the tape of an outer gradient alone', async () => {
    const x = scoped(tf.scalar(3));
    const slope = tf.grad((outer) => {
      const y = tf.square(outer); // 2 * 3
      expect(() => tf.grad(failing)(outer)).toThrow('from the loss');
      disposeAbandonedTape();
      return y;
    })(x);
    expect(await take(slope)).toEqual([6]);
    disposeAbandonedTape();
  });
});

onEachBackend('collectMade', () => {
  /** Tensors of all kinds, and variables. */
  const make = () => {
    const [plain, kept] = [tf.scalar(1), tf.keep(tf.scalar(2))];
    const variable = tf.variable(tf.scalar(3));
    return [plain, kept, variable, tf.tidy(() => tf.add(plain, kept))];
  };

  it('disposes variables and kept tensors with all others, once', async () => {
    const mine = tf.variable(tf.scalar(1));
    await expectNoLeaks(() => {
      const made = collectMade();
      make();
      made.dispose();
      const later = tf.scalar(1);
      made.dispose();
      made.keep();
      return later; // is still there: else it would be disposed twice
    });
    expect(await take(mine)).toEqual([1]);
  });

  it('keeps them as if nothing had been collected, in a tidy too', async () => {
    const made = collectMade();
    const tensors = make();
    made.keep();
    made.dispose();
    expect((await Promise.all(tensors.map(take))).flat()).toEqual([1, 2, 3, 3]);
    await expectNoLeaks(() => {
      const kept: tf.Tensor[] = [];
      tf.tidy(() => {
        const inside = collectMade();
        kept.push(...make().slice(1, 3)); // what is neither kept nor a variable goes with the tidy
        inside.keep();
      });
      expect(kept.map(({ isDisposed }) => isDisposed)).toEqual([false, false]);
      return kept;
    });
  });

  it('leaves a collection within another to the outer one, and begins anew after it', () =>
    expectNoLeaks(() => {
      const outer = collectMade();
      const inner = collectMade();
      const tensors = make();
      inner.dispose();
      expect(tensors.some(({ isDisposed }) => isDisposed)).toBe(false);
      outer.dispose();
      const next = collectMade();
      make();
      outer.keep(); // has ended
      next.dispose();
    }));
});

onEachBackend('A layer that takes one tensor twice', () => {
  type Graph = (x: tfl.SymbolicTensor, again: tfl.SymbolicTensor) => tfl.SymbolicTensor;
  const { activation, add, multiply } = tfl.layers;
  const combined = (layer: tfl.layers.Layer, ...inputs: tfl.SymbolicTensor[]) => layer.apply(inputs) as tfl.SymbolicTensor;
  const features = () => tfl.input({ shape: [3, 3, 4] });

  const attention: Graph = (x, again) => combined(add(), x, combined(causalAttention({ heads: 2, units: 4, own: true }), x, again));
  const square: Graph = (x, again) => combined(add(), combined(multiply(), x, again), x); // x + x^2
  const nested: Graph = (x, again) => {
    const [one, other] = [features(), features()];
    const outputs = combined(add(), square(one, one), square(other, other));
    return combined(add(), combined(tfl.model({ inputs: [one, other], outputs }), x, again), x);
  };

  /** The ends of a model in which \`graph\` gets 4 features twice, or else once and a copy of them. */
  function ends(graph: Graph, isTwice: boolean) {
    const image = tfl.input({ shape: [3, 3, 1] });
    const first = maskedConv2d({ filters: 4, kernelSize: 3, maskType: 'A', imageChannels: 1 }).apply(image);
    const again = isTwice ? first : combined(activation({ activation: 'linear' }), first);
    const last = maskedConv2d({ filters: 3, kernelSize: 1, imageChannels: 1 }).apply(graph(first, again));
    return { inputs: image, outputs: pixelLogits({ imageChannels: 1, levels: 3 }).apply(last) };
  }

  /** What a model with such a graph predicts, and what it is trained, scored and sampled to. */
  async function results(graph: Graph, isTwice: boolean, levels: tf.Tensor4D): Promise<number[][]> {
    const model = autoregressiveModel(ends(graph, isTwice));
    setNoise(model);
    model.compile({ optimizer: 'sgd', loss: bitsPerDim });
    const loaded = (await saveAndLoad(model, { includeOptimizer: true })) as typeof model;
    const all: number[][] = [];
    for (const one of [model, loaded]) {
      await expectNoLeaks(async () => {
        all.push(await take(one.predict(levels)));
        all.push(await take(one.evaluate<tf.Scalar>(levels)));
        all.push(await take(await logProb(one, levels)));
        all.push(await take(await sample(one, { seed: 1, strategy: 'full', numImages: 2 })));
        const { history } = await one.fit(levels, { validationData: levels, verbose: 0 });
        all.push([history['loss'], history['val_loss']].flat() as number[]);
      });
    }
    for (const one of [model, loaded]) one.dispose();
    return all;
  }

  it.each([
    ['causalAttention beside a residual', attention],
    ["tfjs's own layers", square],
    ['a graph within the graph', nested],
  ])('computes the same as with a copy of it, and leaks nothing: %s', async (_, graph) => {
    const numbers = Int32Array.from(noise(18), (x) => 1.5 * (x + 1));
    const levels = scoped(tf.tensor4d(numbers, [2, 3, 3, 1]));
    const [twice, copied] = [await results(graph, true, levels), await results(graph, false, levels)];
    for (const [i, numbers] of twice.entries()) expectClose(numbers, copied[i] as number[], 1e-5);
  });

  it('runs in another model of the same graph too, which had run before', async () => {
    const { inputs, outputs } = ends((x, again) => combined(multiply(), x, again), true);
    const plain = scoped(tfl.model({ inputs, outputs: outputs as tfl.SymbolicTensor }));
    await expectNoLeaks(async () => {
      const images = tf.ones([1, 3, 3, 1]);
      const before = await take(plain.predict(images) as tf.Tensor);
      const model = autoregressiveModel({ inputs, outputs });
      expect(await take(model.predict(images))).toEqual(before);
      expect(await take(plain.predict(images) as tf.Tensor)).toEqual(before);
      images.dispose();
    });
  });
});
