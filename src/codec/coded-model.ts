import { throwTypeError } from '../core/check';
import { distributionOf } from '../distributions/kinds';
import type { WalkedModel } from '../likelihood/walk';
import { checkModel, type PortableModel } from '../program/program';

/** The greatest number of levels that can be coded: with more, frequencies would have no room to differ. */
const MOST_CODED_LEVELS = 2 ** 16;

/** Checks that a model has the form of a portable model, and levels that can be coded. */
export function checkCodedModel(what: string, model: PortableModel): void {
  checkModel(what, model);
  if (model.levels > MOST_CODED_LEVELS)
    throwTypeError(what, `at most ${MOST_CODED_LEVELS} levels`, model.levels);
}

/** A model that is plain data, with its distribution. */
export function codedModel(what: string, model: PortableModel): WalkedModel {
  checkModel(what, model);
  return { model, distribution: distributionOf(model) };
}
