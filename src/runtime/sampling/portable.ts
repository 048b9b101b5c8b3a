import { distributionOf } from '../distributions/kinds';
import { evaluatorFor } from '../engine/evaluator';
import { checkModel, type PortableModel } from '../program/program';
import type { EngineModel, ImageModel, OrderedModel } from './image-model';
import { runJob } from './run-job';
import { scoreInOrder } from './score';
import { symmetricImageModel } from './symmetric';
import { walkKnown } from './walk';

/** A portable model, checked to be one, as a model of images. */
export function portableImageModel(what: string, model: PortableModel): ImageModel<EngineModel> {
  checkModel(what, model);
  const plain = imageModelOf(engineModel(model));
  return model.symmetry === undefined ? plain : symmetricImageModel(plain, model.symmetry);
}

/** A portable model without its symmetries, with the model's distribution or a user's. */
export function engineModel(program: PortableModel, distribution = distributionOf(program)): EngineModel {
  const { imageShape, levels, conditions } = program;
  const model: EngineModel = {
    program,
    imageShape,
    levels,
    conditions,
    distribution,
    source: (images) => evaluatorFor(program, { ...images, distribution }),
    eachOutput: (caller, images, read) => walkKnown(caller, model, images, read),
  };
  return model;
}

/** A model that draws and scores images in order. */
export function imageModelOf<Ordered extends OrderedModel>(model: Ordered): ImageModel<Ordered> {
  const { imageShape, levels, conditions } = model;
  return {
    imageShape,
    levels,
    conditions,
    draw: (job) => runJob(model, job),
    score: (images) => scoreInOrder('logProb', model, images),
    inOrder: () => model,
  };
}
