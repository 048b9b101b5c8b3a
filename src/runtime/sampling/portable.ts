import { distributionOf } from '../distributions/kinds';
import { type EvaluatorArgs, evaluatorFor } from '../engine/evaluator';
import { checkModel, type PortableModel } from '../program/program';
import type { EngineModel, ImageModel, OrderedModel } from './image-model';
import { runJob } from './run-job';
import { symmetricImageModel } from './symmetric';

/** A portable model, checked to be one, as a model of images. */
export function portableImageModel(what: string, model: PortableModel): ImageModel<EngineModel> {
  checkModel(what, model);
  const plain = imageModelOf(engineModel(model));
  return model.symmetry === undefined ? plain : symmetricImageModel(plain, model.symmetry);
}

/** A portable model without its symmetries, with the model's distribution or a user's. */
export function engineModel(program: PortableModel, distribution = distributionOf(program)): EngineModel {
  const { imageShape, levels, conditions } = program;
  const source = (images: EvaluatorArgs) => evaluatorFor(program, { ...images, distribution });
  return { program, imageShape, levels, conditions, distribution, source };
}

/** A model that draws images in order. */
export function imageModelOf<Ordered extends OrderedModel>(model: Ordered): ImageModel<Ordered> {
  const { imageShape, levels, conditions } = model;
  return { imageShape, levels, conditions, draw: (job) => runJob(model, job), inOrder: () => model };
}
