import './runtime/kernels/modules'; // first: see index.ts

import { serialization } from '@tensorflow/tfjs-core';
import * as layers from './layers/index';
import { AutoregressiveModel } from './models/autoregressive-model';

// The entry point of pages that only load models from files, and import no class by name.
for (const exported of [AutoregressiveModel, ...Object.values(layers)])
  if ('className' in exported) serialization.registerClass(exported as typeof AutoregressiveModel);
