import { memoryFor, valuesOf } from '../core/images';
import type { KnownImages, OrderedModel, WalkHooks } from './image-model';

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
  let ofValues = new Float64Array(0);
  await model.eachOutput(caller, images, (reader, current, values) => {
    if (ofValues.length !== values.length) ofValues = new Float64Array(values.length);
    const levels = values.map((value) => data[value] as number);
    reader.of(current, levels, ofValues);
    for (const [k, value] of values.entries()) {
      const to = perValue ? value : Math.floor(value / ofImage);
      nats[to] = (nats[to] as number) + (ofValues[k] as number);
    }
  });
  return nats;
}
