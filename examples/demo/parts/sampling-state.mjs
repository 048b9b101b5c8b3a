import { MODELS } from '../catalogue.mjs';
import { shown } from './address-state.mjs';

export const MOST_SEED = 999_999_999;
export const MOST_ROWS = 6;
const HOTTEST = 2;

/**
 * All that a draw depends on.
 *
 * @typedef {object} SamplingState
 * @property {import('../worker/protocol.mjs').ModelName} model
 * @property {string} group 'each', or the number of one
 * @property {number} style of those that the model has
 * @property {number} rows of pictures
 * @property {number} seed
 * @property {number} temperature
 * @property {number} topK
 */

/** Models that draw by class, in the order in which they are offered. */
export const SAMPLED = Object.keys(MODELS).filter((name) => MODELS[name].numClasses !== null);

/** @returns {SamplingState} */
export const firstState = (model = SAMPLED[0]) => ({
  model,
  group: 'each',
  style: 0,
  rows: MODELS[model].shape[2] === 1 ? 3 : 2, // colours take three times as long
  seed: 1,
  temperature: 1,
  topK: MODELS[model].levels,
});

/**
 * @param {SamplingState} state
 * @returns {Omit<import('../worker/protocol.mjs').SampleJob, 'kind'>} what the jobs of the engine want of it
 */
export function drawingOf({ model, group, style, rows, seed, temperature, topK }) {
  const { groups, levels } = MODELS[model];
  const numImages = rows * groups.length;
  const classes = Array.from(
    { length: numImages },
    (_, i) => (group === 'each' ? i % groups.length : Number(group)) + style * groups.length,
  );
  return { model, numImages, classes, seed, temperature, ...(topK < levels && { topK }) };
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
 * The state that an address asks for; what is wrong with it is left out, and said by name.
 *
 * @param {Map<string, string>} query
 * @returns {{ state: SamplingState, complaints: string[] }}
 */
export function readState(query) {
  const complaints = [];
  const asked = query.get('model');
  const isKnown = asked === undefined || SAMPLED.includes(asked);
  if (!isKnown) complaints.push(`model (wanted ${SAMPLED.join(' or ')}, got “${shown(asked)}”)`);
  const state = firstState(isKnown ? asked : undefined);
  const { groups, styles, levels } = MODELS[state.model];

  /** A number of the address, where it is one of those that may be. */
  const take = (name, { min, max, step = 1, also = [] }) => {
    const text = query.get(name);
    if (text === undefined) return undefined;
    if (also.includes(text)) return text;
    const value = /^\d{1,9}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
    const isIn = value >= min && value <= max && (step !== 1 || Number.isInteger(value));
    if (isIn) return value;
    complaints.push(`${name} (wanted ${min} to ${max}, got “${shown(text)}”)`);
    return undefined;
  };
  state.group = String(take('class', { min: 0, max: groups.length - 1, also: ['each'] }) ?? state.group);
  state.style = take('style', { min: 0, max: Math.max(0, styles.length - 1) }) ?? state.style;
  state.rows = take('rows', { min: 1, max: MOST_ROWS }) ?? state.rows;
  state.seed = take('seed', { min: 0, max: MOST_SEED }) ?? state.seed;
  state.temperature = take('temperature', { min: 0, max: HOTTEST, step: 'any' }) ?? state.temperature;
  state.topK = take('top-k', { min: 1, max: levels }) ?? state.topK;
  return { state, complaints };
}
