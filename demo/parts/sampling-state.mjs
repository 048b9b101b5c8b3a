import { MODELS, UNLISTED } from '../catalogue.mjs';
import { addressReader } from './address-state.mjs';
import { MAX_SEED } from './random.mjs';

export const MAX_ROWS = 6;
export const HOTTEST = 2;
export const TEMPERATURE_STEP = 0.05;

/**
 * All that a draw depends on.
 *
 * @typedef {object} SamplingState
 * @property {import('../worker/protocol.mjs').ModelName} model
 * @property {string} group 'each', or the number of one
 * @property {number} rows of pictures
 * @property {number} seed
 * @property {number} temperature
 * @property {number} topK
 */

/** Models that draw, in the order in which they are offered. */
export const SAMPLED = ['characters', 'digits-28', 'clothes', 'binarized-mnist'];

/** Pictures in a row: one of each class where there are any. */
export const columnsOf = (model) => MODELS[model].groups.length || 10;

/** @returns {SamplingState} */
export const firstState = (model = SAMPLED[0]) => ({
  model,
  group: 'each',
  rows: 3,
  seed: 1,
  temperature: 1,
  topK: MODELS[model].levels,
});

/**
 * @param {SamplingState} state
 * @returns {Omit<import('../worker/protocol.mjs').SampleJob, 'kind'>} what the jobs of the engine want of it
 */
export function drawingOf({ model, group, rows, seed, temperature, topK }) {
  const { groups, levels } = MODELS[model];
  const numImages = rows * columnsOf(model);
  const classes = Array.from({ length: numImages }, (_, i) =>
    group === 'each' ? i % groups.length : Number(group),
  );
  return {
    ...{ model, numImages, seed, temperature },
    ...(groups.length > 0 && { classes }),
    ...(topK < levels && { topK }),
  };
}

/**
 * A state for an address: only what is not as it was at first, but always model and seed.
 *
 * @param {SamplingState} state
 */
export function queryOf(state) {
  const first = firstState(state.model);
  const { group, topK, ...others } = state;
  const named = { ...others, class: group, 'top-k': topK };
  const usual = { ...first, class: first.group, 'top-k': first.topK };
  return Object.fromEntries(
    Object.entries(named).filter(
      ([name, value]) => name === 'model' || name === 'seed' || value !== usual[name],
    ),
  );
}

/**
 * The state that an address asks for; what is wrong with it is left out.
 *
 * @param {Map<string, string>} query
 * @returns {{ state: SamplingState, complaint: string }} the complaint in words; empty where nothing is wrong
 */
export function readState(query) {
  const address = addressReader(query);
  const state = firstState(address.choice('model', SAMPLED, UNLISTED) ?? undefined);
  const { groups, levels } = MODELS[state.model];
  const whole = (name, min, max) => address.number(name, { min, max });
  const isEach = query.get('class') === 'each' || groups.length === 0;
  const group = isEach ? 'each' : whole('class', 0, groups.length - 1);
  state.group = String(group ?? state.group);
  state.rows = whole('rows', 1, MAX_ROWS) ?? state.rows;
  state.seed = whole('seed', 0, MAX_SEED) ?? state.seed;
  state.temperature =
    address.number('temperature', { min: 0, max: HOTTEST, step: TEMPERATURE_STEP }) ?? state.temperature;
  state.topK = whole('top-k', 1, levels) ?? state.topK;
  return { state, complaint: address.complaint };
}
