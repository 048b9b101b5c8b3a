import { type AutoregressiveModel, logProb, type SampleOptions, sample, toPortable } from 'pixelcnn-layers';
import { type SampleOptions as PortableOptions, logProb as portableLogProb, sample as portableSample, readPortable, writePortable } from 'pixelcnn-layers/runtime'; // biome-ignore format: one line
import { expect } from 'vitest';
import { take } from './tensors';

/**
 * Expects that a network draws incrementally what it draws by whole passes, and that the portable runtime draws the same and
 * gives it the same likelihoods. `plain` is the condition without tensors.
 */
export async function expectDrawnAsByWholePasses(
  network: AutoregressiveModel,
  options: SampleOptions & { numImages: number },
  plain: unknown = options.condition,
): Promise<void> {
  const incremental = await sample(network, { ...options, strategy: 'incremental' });
  const whole = await take(await sample(network, { ...options, strategy: 'full' }));
  const drawn = Array.from(await incremental.data());
  // A draw may fall the other way at a boundary; all that follows in its image then differs.
  const values = drawn.length / options.numImages;
  const differing = new Set(
    drawn.flatMap((level, i) => (level === whole[i] ? [] : [Math.floor(i / values)])),
  );
  expect(differing.size).toBeLessThanOrEqual(0.1 * options.numImages);

  const { condition } = options;
  const wanted = await take(
    await logProb(network, incremental, condition === undefined ? {} : { condition }),
  );
  const portable = readPortable(writePortable(await toPortable(network)));
  const images = {
    data: Int32Array.from(drawn),
    shape: incremental.shape as [number, number, number, number],
  };
  const given = plain === undefined ? {} : { condition: plain };
  const nats = await portableLogProb(portable, images, given as never);
  for (const [n, value] of wanted.entries())
    expect(Math.abs((nats[n] as number) - value)).toBeLessThan(2e-5 * Math.max(10, Math.abs(value)));
  const again = await portableSample(portable, { ...options, ...given } as unknown as PortableOptions);
  expect(Array.from(again.data)).toEqual(drawn);
  incremental.dispose();
}
