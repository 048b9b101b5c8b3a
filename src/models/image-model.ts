import type { LayersModel, layers, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { throwTypeError } from '../core/check';
import { type ConditionShape, checkKinds } from '../core/conditions';
import { OneHotClass } from '../layers/one-hot-class';

/**
 * What an autoregressive image model is from outside: images [N,H,W,C], and conditions where it takes any,
 * in; logits [N,H,W,C,L] out.
 */
export interface ImageModelShape {
  /** [H, W, C]; H and W null where the model takes images of any size. */
  readonly imageShape: [number | null, number | null, number];
  /** L, the intensities that a channel can have. */
  readonly levels: number;
  /** What the model is conditioned on, its inputs after the image; empty for nothing. */
  readonly conditions: readonly ConditionShape[];
}

/**
 * Reads the shapes of a graph; throws where it is not [N,H,W,C] -> [N,H,W,C,L]. `what` names the caller in
 * the message.
 */
export function imageModelShape(
  what: string,
  graph: Pick<LayersModel, 'inputs' | 'outputs' | 'layers'>,
): ImageModelShape {
  const [image, ...beside] = graph?.inputs ?? [];
  const [logits, ...others] = graph?.outputs ?? [];
  const input = image?.shape;
  const output = logits?.shape;
  const [, height = null, width = null, channels = null] = input ?? [];
  const levels = output?.[4] ?? null;
  const conditions = beside.map((second) => conditionShape(second, input ?? [], graph.layers));
  const isImageModel = input?.length === 4 && output?.length === 5 && output[3] === channels;
  const isRead = areAllRead(conditions) && others.length === 0;
  if (!isImageModel || channels === null || levels === null || !isRead) {
    const wanted = 'a model [N,H,W,C] -> [N,H,W,C,L], with conditions [N,1], [N,K] or [N,H,W,K] or none';
    if (graph?.inputs === undefined || graph.outputs === undefined) throwTypeError(what, wanted, graph);
    const got = `${shapes(graph.inputs)} -> ${shapes(graph.outputs)}`;
    throw new TypeError(`${what}: wanted ${wanted}, got ${got}${hintFor(output, channels)}`);
  }
  checkKinds(what, conditions);
  return { imageShape: [height, width, channels], levels, conditions };
}

const areAllRead = (conditions: (ConditionShape | null)[]): conditions is ConditionShape[] =>
  !conditions.includes(null);

/** What a graph whose output is almost that of an image model may lack. */
function hintFor(output: readonly (number | null)[] | undefined, channels: number | null): string {
  if (output?.length === 4) return '; a last layer pixelLogits makes logits of features [N,H,W,C*L]';
  if (output?.length !== 5 || output[3] === channels) return '';
  return `; imageChannels of pixelLogits is that of the images, ${channels}`;
}

const shapes = (tensors: SymbolicTensor[]) =>
  tensors.map(({ shape }) => `[${shape.map(String).join(',')}]`).join(', ') || '[]';

/**
 * What an input of a graph of layers is, beside images [N,H,W,C]; null where it is none of the three.
 */
function conditionShape(
  input: SymbolicTensor,
  [, height, width]: readonly (number | null)[],
  graph: readonly layers.Layer[],
): ConditionShape | null {
  const size = input.shape.at(-1);
  const isMap = input.rank === 4 && input.shape[1] === height && input.shape[2] === width;
  if (size == null || (input.rank !== 2 && !isMap)) return null;
  const reader = input.sourceLayer.outboundNodes
    .map(({ outboundLayer }) => outboundLayer)
    .find((layer) => layer.getClassName() === OneHotClass.className && graph.includes(layer));
  if (reader !== undefined) {
    const { numClasses, nullClass } = reader.getConfig() as { numClasses: number; nullClass?: boolean };
    return { kind: 'class', numClasses, ...(nullClass && { nullClass }) };
  }
  return { kind: input.rank === 2 ? 'vector' : 'map', size };
}
