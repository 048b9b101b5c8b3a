import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { checkInteger, wrong } from './check';

/** What an autoregressive image model is from outside: images [N,H,W,C] in, logits [N,H,W,C,L] out. */
export interface ImageModelShape {
  /** [H, W, C]; H and W null where the model takes images of any size. */
  readonly imageShape: [number | null, number | null, number];
  /** L, the intensities that a channel can have. */
  readonly levels: number;
}

/** Reads the shapes of a graph; throws where it is not [N,H,W,C] -> [N,H,W,C,L]. `what` names the caller in the message. */
export function imageModelShape(
  what: string,
  graph: Pick<LayersModel, 'inputs' | 'outputs'>,
): ImageModelShape {
  const shapeOf = (tensors?: SymbolicTensor[]) => (tensors?.length === 1 ? tensors[0]?.shape : undefined);
  const input = shapeOf(graph?.inputs);
  const output = shapeOf(graph?.outputs);
  const [, height = null, width = null, channels = null] = input ?? [];
  const levels = output?.[4] ?? null;
  const isImageModel = input?.length === 4 && output?.length === 5 && output[3] === channels;
  if (!isImageModel || channels === null || levels === null) {
    const got = [input, output].map((shape) => `[${shape?.map(String).join(',') ?? ''}]`).join(' -> ');
    throw new TypeError(`${what}: wanted a model [N,H,W,C] -> [N,H,W,C,L], got ${got}`);
  }
  return { imageShape: [height, width, channels], levels };
}

/** The image shape to use: the model's, completed by the caller's where the model takes any size. `what` names the latter. */
export function resolveImageShape(
  what: string,
  { imageShape: [h, w, c] }: ImageModelShape,
  given: readonly number[] | undefined,
): [number, number, number] {
  const shape = given ?? [h, w, c];
  if (
    shape.length !== 3 ||
    shape[2] !== c ||
    (h !== null && shape[0] !== h) ||
    (w !== null && shape[1] !== w)
  ) {
    wrong(what, `[${h ?? 'H'}, ${w ?? 'W'}, ${c}]`, given);
  }
  const [height, width] = shape;
  if (height === null || width === null) {
    wrong(what, `[H, W, ${c}], since the model takes images of any size`, given);
  }
  return [checkInteger(what, height, 1), checkInteger(what, width, 1), c];
}

/** One forward pass at inference: normalized images [N,H,W,C] -> logits [N,H,W,C,L]. */
export function forward(model: LayersModel, images: Tensor4D): Tensor {
  return model.apply(images) as Tensor;
}
