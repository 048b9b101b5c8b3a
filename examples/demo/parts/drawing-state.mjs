import { MODELS, sizeOf } from '../catalogue.mjs';
import { shown } from './address-state.mjs';
import { levelsOfText } from './levels-text.mjs';

/**
 * What an address asks to be drawn: what is wrong with it is left out, and said.
 *
 * @param {Map<string, string>} state
 * @param {Record<string, { firstClass: number }>} kinds what can be drawn, by model; the first where the address names none
 * @returns {{ model: string, condition: number, values: number[] | null, complaints: string[] }}
 */
export function readDrawing(state, kinds) {
  const complaints = [];
  const names = Object.keys(kinds);
  let model = state.get('model') ?? names[0];
  if (!Object.hasOwn(kinds, model)) {
    complaints.push(
      `The address asks for the model “${shown(model)}”: there is only ${names.join(' and ')}.`,
    );
    [model] = names;
  }
  const { numClasses, shape, levels } = MODELS[model];
  const text = state.get('class');
  let condition = kinds[model].firstClass;
  if (text !== undefined) {
    if (/^\d{1,3}$/.test(text) && Number(text) < numClasses) condition = Number(text);
    else complaints.push(`The address asks for the class “${shown(text)}”: wanted 0 to ${numClasses - 1}.`);
  }
  const code = state.get('values');
  const values = code === undefined ? null : levelsOfText(code, { levels, size: sizeOf(shape) });
  if (code !== undefined && values === null) {
    complaints.push('The pixels in the address are not those of a picture of this model.');
  }
  return { model, condition, values, complaints };
}
