import { memoryFor, valuesOf } from '../core/images';
import type { KnownImages, OrderedModel, WalkHooks } from './image-model';
import { eachOutput } from './walk';

/** Computes log p of images, in nats, [N], or of each value given those before it, [N*H*W*C]. */
export async function scoreInOrder(
  caller: string,
  model: OrderedModel,
  images: KnownImages & WalkHooks,
  perValue = false,
): Promise<Float64Array> {
  const { data, numImages, imageShape } = images;
  const ofImage = valuesOf(imageShape);
  const nats = memoryFor(caller, () => new Float64Array(perValue ? numImages * ofImage : numImages));
  let [levels, ofValues] = [new Int32Array(0), new Float64Array(0)];
  await eachOutput(caller, model, images, (reader, current, values) => {
    const count = values.length;
    if (levels.length !== count) [levels, ofValues] = [new Int32Array(count), new Float64Array(count)];
    for (let k = 0; k < count; k++) levels[k] = data[values[k] as number] as number;
    reader.of(current, levels, ofValues);
    for (let k = 0; k < count; k++) {
      const value = values[k] as number;
      const to = perValue ? value : Math.floor(value / ofImage);
      nats[to] = (nats[to] as number) + (ofValues[k] as number);
    }
  });
  return nats;
}
