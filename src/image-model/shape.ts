import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { checkInteger, wrong } from '../check';
import { type ConditionShape, conditionShape } from './condition-shape';

/**
 * What an autoregressive image model is from outside: images [N,H,W,C], and conditions where it takes any,
 * in; logits [N,H,W,C,L] out.
 */
export interface ImageModelShape {
  /** [H, W, C]; H and W null where the model takes images of any size. */
  readonly imageShape: [number | null, number | null, number];
  /** L, the intensities that a channel can have. */
  readonly levels: number;
  /** What the model is conditioned on, its second input; null for nothing. */
  readonly condition: ConditionShape | null;
}

/**
 * Reads the shapes of a graph; throws where it is not [N,H,W,C] -> [N,H,W,C,L]. `what` names the caller in
 * the message.
 */
export function imageModelShape(
  what: string,
  graph: Pick<LayersModel, 'inputs' | 'outputs' | 'layers'>,
): ImageModelShape {
  const [image, second, ...rest] = graph?.inputs ?? [];
  const [logits, ...others] = graph?.outputs ?? [];
  const input = image?.shape;
  const output = logits?.shape;
  const [, height = null, width = null, channels = null] = input ?? [];
  const levels = output?.[4] ?? null;
  const condition = second === undefined ? null : conditionShape(second, input ?? [], graph.layers);
  const isImageModel = input?.length === 4 && output?.length === 5 && output[3] === channels;
  const isConditioned = second === undefined || condition !== null;
  const hasMore = rest.length > 0 || others.length > 0;
  if (!isImageModel || channels === null || levels === null || !isConditioned || hasMore) {
    const got = `${shapes(graph?.inputs)} -> ${shapes(graph?.outputs)}`;
    throw new TypeError(
      `${what}: wanted a model [N,H,W,C] -> [N,H,W,C,L], with a condition [N,1], [N,K] or [N,H,W,K] or none, got ${got}`,
    );
  }
  return { imageShape: [height, width, channels], levels, condition };
}

const shapes = (tensors: SymbolicTensor[] = []) =>
  tensors.map(({ shape }) => `[${shape.map(String).join(',')}]`).join(', ') || '[]';

/**
 * The image shape to use: the model's, completed by the caller's where the model takes any size. `what` names
 * the latter.
 */
export function resolveImageShape(
  what: string,
  { imageShape: [h, w, c] }: Pick<ImageModelShape, 'imageShape'>,
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
