import type { LayersModel, layers, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { LevelEmbedding, OneHotClass, OneHotCodes, OneHotLevels } from '../layers/encodings';
import type { DistributionLayer, TensorDistribution } from '../layers/types';
import { checkFunction, throwTypeError } from '../runtime/core/check';
import { type ConditionShape, checkKinds, sizeOfMap } from '../runtime/core/conditions';
import { refuseSymmetries } from '../runtime/core/symmetries';
import { softmaxOf } from '../runtime/distributions/categorical';
import {
  checkChannelOf,
  checkDistribution,
  isSoftmax,
  type Softmax,
} from '../runtime/distributions/pixel-distribution';
import { isLayerDisposed } from './tfjs-workarounds';

/**
 * The interface of an image model, from images [N,H,W,C] and conditions to logits [N,H,W,C,L] or parameters [N,H,W,P].
 */
export interface ImageModelShape {
  /** [H, W, C]; H and W are null if the model takes images of any size. */
  readonly imageShape: [number | null, number | null, number];
  /** L, the number of levels of a channel. */
  readonly levels: number;
  /** The conditions, its inputs after the image; empty if there are none. */
  readonly conditions: readonly ConditionShape[];
  /**
   * The distribution of the outputs, which your own loop passes to `bitsPerDim`: the last layer's, or a softmax.
   */
  readonly distribution: Softmax | TensorDistribution;
}

type Graph = Pick<LayersModel, 'inputs' | 'outputs' | 'layers'>;

/** Reads the shapes of a graph. Throws if it is not of an image model; `what` names the caller in the message. */
export function imageModelShape(what: string, graph: Graph): ImageModelShape {
  refuseSymmetries(what, graph);
  const [image, ...beside] = graph?.inputs ?? [];
  const [logits, ...others] = graph?.outputs ?? [];
  const input = image?.shape;
  const output = logits?.shape;
  const [, height = null, width = null, channels = null] = input ?? [];
  const distribution = logits === undefined ? null : distributionOf(what, logits, channels);
  const conditions = beside.map((second) => conditionShape(second, input ?? [], graph.layers));
  const isOfPixels = fits(output?.[1], height) && fits(output?.[2], width);
  const isImageModel = input?.length === 4 && distribution !== null && isOfPixels && others.length === 0;
  if (!isImageModel || channels === null || !areAllRead(conditions)) {
    const wanted =
      'a model [N,H,W,C] -> [N,H,W,C,L], with conditions [N,1], [N,K], [N,h,w,K] or (read by oneHotCodes) [N,h,w,1], or none';
    if (graph?.inputs === undefined || graph.outputs === undefined) throwTypeError(what, wanted, graph);
    const got = `${shapes(graph.inputs)} -> ${shapes(graph.outputs)}`;
    const sizes = '; outputs must have the height and width of the images';
    const hint = isOfPixels ? hintFor(output, channels) : sizes;
    throw new TypeError(`${what}: wanted ${wanted}, got ${got}${hint}`);
  }
  checkKinds(what, conditions);
  const fixed = conditions.find((condition) => sizeOfMap(condition) !== undefined);
  if (fixed !== undefined && (height === null || width === null)) {
    const size = sizeOfMap(fixed)?.join('x');
    throwTypeError(`${what}: imageShape`, `a height and a width, since a condition has ${size} places`, [
      height,
      width,
      channels,
    ]);
  }
  checkNotDisposed(what, graph);
  const { levels } = distribution;
  for (const { outboundLayer: layer } of (image as SymbolicTensor).sourceLayer.outboundNodes) {
    const isEncoding = [OneHotLevels.className, LevelEmbedding.className].includes(layer.getClassName());
    const given = isEncoding && graph.layers.includes(layer) ? layer.getConfig()['levels'] : levels;
    if (given !== levels)
      throwTypeError(`${what}: levels of layer '${layer.name}'`, `${levels}, as the outputs have`, given);
  }
  return { imageShape: [height, width, channels], levels, conditions, distribution };
}

/** Checks that neither the layers of a model nor their weights are disposed. */
export function checkNotDisposed(what: string, { layers: all }: Pick<LayersModel, 'layers'>): void {
  if (all.some(isLayerDisposed)) throw new TypeError(`${what}: it has been disposed`);
}

/** Whether two lengths are equal, as far as they are known. */
const fits = (a: number | null | undefined, b: number | null) => a == null || b === null || a === b;

/** The distribution of an output, for images with this number of channels; null if it has none. */
function distributionOf(what: string, { shape, sourceLayer }: SymbolicTensor, channels: number | null) {
  const { distribution } = sourceLayer as Partial<DistributionLayer>;
  const isOwn = distribution !== undefined && !isSoftmax(distribution); // a nested model may have a softmax
  if (!isOwn) {
    const [, , , ofPixel = null, levels = null] = shape;
    return ofPixel === channels && ofPixel !== null && levels !== null ? softmaxOf(ofPixel, levels) : null;
  }
  const named = `${what}: distribution of layer '${sourceLayer.name}'`;
  const { imageChannels, numParameters } = checkDistribution(named, distribution);
  checkFunction(`${named}: negativeLogLikelihood`, distribution.negativeLogLikelihood);
  if (imageChannels !== channels)
    throwTypeError(`${named}: imageChannels`, `${channels}, as the images have`, imageChannels);
  const wanted = `the number of features of the outputs [${shape.map(String)}]`;
  if (shape.length !== 4 || shape[3] !== numParameters)
    throwTypeError(`${named}: numParameters`, wanted, numParameters);
  checkChannelOf(named, distribution);
  return distribution;
}

const areAllRead = (conditions: (ConditionShape | null)[]): conditions is ConditionShape[] =>
  !conditions.includes(null);

/** A hint about what may be missing in a graph whose output is almost right. */
function hintFor(output: readonly (number | null)[] | undefined, channels: number | null): string {
  if (output?.length === 4) return '; end with pixelLogits or logisticMixture';
  if (output?.length !== 5 || output[3] === channels) return '';
  return `; pixelLogits needs imageChannels: ${channels}, as the images have`;
}

const shapes = (tensors: SymbolicTensor[]) =>
  tensors.map(({ shape }) => `[${shape.map(String).join(',')}]`).join(', ') || '[]';

/** The shape of a graph's input as a condition; null if it is none of the four kinds. */
function conditionShape(
  input: SymbolicTensor,
  [, height, width]: readonly (number | null)[],
  graph: readonly layers.Layer[],
): ConditionShape | null {
  const [, h, w] = input.shape;
  const size = input.shape.at(-1);
  /** The config of a layer of this class that reads the input. */
  const readerOf = ({ className }: { className: string }) =>
    input.sourceLayer.outboundNodes
      .map(({ outboundLayer }) => outboundLayer)
      .find((layer) => layer.getClassName() === className && graph.includes(layer))
      ?.getConfig();
  const codes = readerOf(OneHotCodes) as { levels: number } | undefined;
  if (codes !== undefined)
    return h == null || w == null ? null : { kind: 'codes', levels: codes.levels, shape: [h, w] };
  if (size == null || (input.rank !== 2 && input.rank !== 4)) return null;
  const classes = readerOf(OneHotClass) as { numClasses: number; nullClass?: boolean } | undefined;
  if (classes !== undefined) {
    const { numClasses, nullClass } = classes;
    return { kind: 'class', numClasses, ...(nullClass && { nullClass }) };
  }
  if (input.rank === 2) return { kind: 'vector', size };
  if (h === height && w === width) return { kind: 'map', size };
  return h == null || w == null ? null : { kind: 'map', size, shape: [h, w] };
}
