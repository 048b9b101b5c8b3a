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
 * Extra names that are allowed: tfjs adds `customObjects` to the config of a layer that it loads, and a callback
 * `block` of `pixelCNN` may pass on all its arguments to a layer, including `index`.
 */
const PASSED_ALONG = ['customObjects', 'index'];

/**
 * Checks that the arguments of a layer are an object with no names but the known ones. A subclass, recognized by
 * `newTarget`, may take more arguments and pass all of them to `super`, so its names are not checked.
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
