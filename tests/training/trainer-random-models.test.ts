import fc from 'fast-check';
import { afterAll, beforeAll, it } from 'vitest';
import { useBackend } from '../support/backends';
import { expectNoStaleStep, expectTrainedAlike, trainedRecipes } from '../support/models/trained-alike';
import { forAllAsync } from '../support/runs';
import { startTrainInProcess } from '../support/workers/pool-in-process';

beforeAll(() => useBackend('wasm')); // as workers do, which are in the same thread here

const seeds = fc.nat({ max: 1_000_000 });

it('a random model has the weights of fit, to the bits of any number of workers', () =>
  forAllAsync([trainedRecipes, seeds], { numRuns: 3, seed: 6 }, (recipe, seed) => expectTrainedAlike(recipe, seed, startTrainInProcess)));

const outcomes: Record<string, number> = {};
afterAll(() => console.log('steps in the middle of which weights were assigned:', outcomes));

it('a random model takes no step by gradients of other weights', () =>
  forAllAsync([trainedRecipes, seeds], { numRuns: 5, seed: 7 }, async (recipe, seed) => {
    const outcome = await expectNoStaleStep(recipe, seed, startTrainInProcess);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }));
