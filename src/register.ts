import { serialization } from '@tensorflow/tfjs-core';
import * as layers from './layers/index';
import { AutoregressiveModel } from './models/autoregressive-model';

// The entry point of pages that load models by their files alone, and import no class by its name.
for (const exported of [AutoregressiveModel, ...Object.values(layers)])
  if ('className' in exported) serialization.registerClass(exported as typeof AutoregressiveModel);
