import type { serialization } from '@tensorflow/tfjs-core';
import { LayersModel } from '@tensorflow/tfjs-layers';
import { namesOf, OWN_LOSS } from './loss';
import { checkSavedGraph } from './saved-graph';
import { collectMade, type Made, restoreAdamPowersExactly, withoutLeakingSteps } from './tfjs-workarounds';

type TrainingConfig = Parameters<LayersModel['loadTrainingConfig']>[0];

/** A model that trains on after loading as if it had never been saved, and leaks nothing if loading fails. */
export abstract class SavedModel extends LayersModel {
  /** The tensors that tfjs makes while it loads the model, disposed if loading fails. */
  private made: Made | undefined;

  override async save(...args: Parameters<LayersModel['save']>): ReturnType<LayersModel['save']> {
    const save = () => super.save(...args);
    return this.optimizer === undefined ? save() : withoutLeakingSteps(this.optimizer, save);
  }

  protected override getTrainingConfig(): ReturnType<LayersModel['getTrainingConfig']> {
    const [loss = OWN_LOSS] = namesOf(this.loss);
    const metrics = namesOf(this.metrics).filter((name) => name !== undefined);
    const optimizer_config = {
      class_name: this.optimizer.getClassName(),
      config: this.optimizer.getConfig(),
    };
    return { loss, metrics, optimizer_config } as never; // the type lists tfjs's own losses only
  }

  override loadTrainingConfig(config: TrainingConfig): void {
    this.load(() => super.loadTrainingConfig(config)); // makes the optimizer and compiles, with the names of getTrainingConfig
    this.isOptimizerOwned = true; // no one else can, so the model disposes it
    restoreAdamPowersExactly(this.optimizer);
  }

  override setUserDefinedMetadata(...args: Parameters<LayersModel['setUserDefinedMetadata']>): void {
    this.load(() => super.setUserDefinedMetadata(...args));
  }

  /** Loads weights as they were saved. tfjs alone would apply constraints, which training never does. */
  override loadWeights(...args: Parameters<LayersModel['loadWeights']>): void {
    const variables = this.weights as object[] as { constraint: unknown }[];
    const constraints = variables.map(({ constraint }) => constraint);
    for (const variable of variables) variable.constraint = null;
    try {
      this.load(() => super.loadWeights(...args));
    } finally {
      for (const [i, variable] of variables.entries()) variable.constraint = constraints[i];
    }
  }

  /** Loads a part of a saved model, and disposes everything if that fails, since no one else could. */
  private load(part: () => void): void {
    try {
      part();
    } catch (error) {
      this.made?.dispose();
      throw error;
    }
  }

  /** @nocollapse */
  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
    ...rest: [customObjects?: serialization.ConfigDict, fastWeightInit?: boolean]
  ): T {
    checkSavedGraph('AutoregressiveModel', { className: 'AutoregressiveModel', config });
    const made = collectMade();
    try {
      const model = LayersModel.fromConfig(cls, config, ...rest);
      if (model instanceof SavedModel) model.made = made;
      queueMicrotask(made.keep); // tfjs loads everything else in this turn
      return model;
    } catch (error) {
      made.dispose();
      throw error;
    }
  }
}
