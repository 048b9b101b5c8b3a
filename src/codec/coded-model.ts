import { throwTypeError } from '../core/check';
import { digestOf } from '../program/file';
import { checkModel, type PortableModel } from '../program/program';

/** With more levels, frequencies would have no room to differ. */
const MAX_LEVELS = 2 ** 16;

/** Checks that a model has the form of a portable model, and levels that can be coded. */
export function checkCodedModel(what: string, model: PortableModel): void {
  checkModel(what, model);
  if (model.levels > MAX_LEVELS) throwTypeError(what, `at most ${MAX_LEVELS} levels`, model.levels);
}

const digests = /* @__PURE__ */ new WeakMap<PortableModel, Uint8Array>();

/** The digest of a model, computed once: it takes a pass over all weights. */
export function keptDigest(model: PortableModel): Uint8Array {
  const digest = digests.get(model) ?? digestOf(model);
  digests.set(model, digest);
  return digest;
}
