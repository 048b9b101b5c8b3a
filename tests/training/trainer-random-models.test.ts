import fc from 'fast-check';
import { beforeAll, it } from 'vitest';
import { useBackend } from '../support/backends';
import { startTrainInProcess } from '../support/pool-in-process';
import { runs } from '../support/runs';
import { expectTrainedAlike, trainedRecipes } from '../support/trained-alike';

beforeAll(() => useBackend('wasm')); // as workers do, which are in the same thread here

it('a random model has the weights of fit, to the bits of any number of workers', async () => {
  await fc.assert(
    fc.asyncProperty(trainedRecipes, fc.nat({ max: 1000 }), (recipe, seed) =>
      expectTrainedAlike(recipe, seed, startTrainInProcess),
    ),
    runs({ numRuns: 3, seed: 6 }),
  );
});
