import { checkNames, type NamesOf, throwTypeError } from '../core/check';
import type { LayerArgs } from './types';

/** The arguments that every tfjs layer takes. */
export const layerArgNames: NamesOf<LayerArgs> = {
  name: true,
  trainable: true,
  weights: true,
  inputShape: true,
  batchInputShape: true,
  batchSize: true,
  dtype: true,
  inputDType: true,
};

/**
 * What comes along and is no mistake: tfjs adds `customObjects` to the config of a layer that it loads, and the index
 * of a block comes from a callback `block` of `pixelCNN` that hands a layer all it was told.
 */
const PASSED_ALONG = ['customObjects', 'index'];

/**
 * Checks that the arguments of a layer are an object, and that it has none but the named ones. A subclass, which
 * `newTarget` tells, may take more of its own and hand all of them to `super`: they are not this layer's to check.
 */
export function checkLayerArgs<Args extends LayerArgs>(
  layer: { readonly className: string },
  newTarget: unknown,
  args: Args,
  names: NamesOf<Args>,
): Args {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    throwTypeError(layer.className, 'an object of arguments', args);
  }
  if (newTarget === layer) {
    const given = Object.keys(args).filter((name) => !PASSED_ALONG.includes(name));
    checkNames(layer.className, given, Object.keys(names));
  }
  return args;
}
