import type { PortableModel } from 'pixelcnn-layers/runtime';
import { compress, decompress, logProb, readPortable, sample, stepper, symmetric, writePortable } from 'pixelcnn-layers/runtime';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../../support/errors';
import { type Edit, edited, expectRefused, type Json } from '../../support/models/portable-file';
import { portableModel } from '../../support/models/portable-model.mjs';

const wide = portableModel({ imageShape: [2, 3, 1], levels: 3, features: 2 });
const square = portableModel({ imageShape: [2, 2, 1], levels: 3, features: 2, numClasses: 8 });
const maps = portableModel({ imageShape: [2, 2, 1], levels: 3, features: 2, mapSize: 1 });
const anySize = portableModel({ imageShape: [null, null, 1], levels: 3, features: 2 });
const same = (model: PortableModel) => ({ ...model, weights: [...model.weights] });

describe('symmetries in a file', () => {
  it.each<[string, PortableModel, object]>([
    ['of flips', symmetric(wide, ['flipLevels', 'flipRows']), {}],
    ['of the square, with classes', symmetric(square, ['transpose', 'flipLevels'], { asCondition: true }), { condition: [1, 0] }],
    ['of any size', symmetric(anySize, ['transpose']), { imageShape: [2, 2, 1] }],
  ])('come back, and draw the same: %s', async (_, model, options) => {
    const file = writePortable(model);
    const read = readPortable(file);
    expect(same(read)).toEqual(same(model));
    expect(writePortable(read)).toEqual(file);
    const job = { numImages: 2, seed: 1, ...options, withLogProb: true as const };
    expect(await sample(read, job)).toEqual(await sample(model, job));
    expect(await sample(structuredClone(read), job)).toEqual(await sample(model, job));
  });

  const file = writePortable(symmetric(wide, ['flipLevels']));
  const told = writePortable(symmetric(square, ['flipRows', 'flipColumns'], { asCondition: true }));
  const at =
    (symmetry: Json): Edit =>
    ({ program }) => {
      program.symmetry = symmetry;
    };
  const list = (...symmetries: Json[]) => at({ symmetries });
  const names = "symmetry: symmetries: wanted 'flipRows' or 'flipColumns' or 'transpose' or 'flipLevels', got ";

  it.each<[string, Uint8Array, Edit, string]>([
    ['null', file, at(null), 'symmetry: wanted an object, got null'],
    ['a list instead', file, at(['flipRows']), "symmetry: wanted an object, got ['flipRows']"],
    ['nothing in it', file, at({}), "symmetry: wanted a field 'symmetries', got []"],
    ['another field', file, at({ symmetries: ['flipRows'], order: 2 }), "symmetry: wanted no fields but symmetries, asCondition, got 'order'"],
    ['a prototype', file, at(JSON.parse('{"symmetries":["flipRows"],"__proto__":{"asCondition":true}}')), "got '__proto__'"],
    ['no list', file, at({ symmetries: 'flipRows' }), "symmetry: symmetries: wanted a list of symmetries, got 'flipRows'"],
    ['a list-like', file, at({ symmetries: { 0: 'flipRows', length: 1 } }), 'symmetry: symmetries: wanted a list of symmetries, got Object'],
    ['no symmetry', file, list(), 'symmetry: symmetries: wanted a list of symmetries, got []'],
    ['an unknown one', file, list('flipRow'), `${names}'flipRow': did you mean 'flipRows'?`],
    ['one after others', file, list('flipRows', 'rotate'), `${names}'rotate'`],
    ['constructor', file, list('constructor'), `${names}'constructor'`],
    ['__proto__', file, list('__proto__'), `${names}'__proto__'`],
    ['a list in it', file, list(['flipRows']), `${names}['flipRows']`],
    ['a list in it that transposes', file, list(['transpose']), `${names}['transpose']`],
    ['an object in it', file, list({ toString: 1, valueOf: 1 }), names],
    ['one of square images', file, list('transpose'), "symmetry: symmetries: wanted square images, for 'transpose', got [2, 3]"],
    ['asCondition false', told, { 'symmetry.asCondition': false }, 'symmetry: asCondition: wanted true, or no such field, got false'],
    ['asCondition 1', told, { 'symmetry.asCondition': 1 }, 'symmetry: asCondition: wanted true, or no such field, got 1'],
    ['more elements than classes', told, { 'symmetry.symmetries': ['transpose', 'flipRows', 'flipLevels'] }, 'symmetry: asCondition: wanted 16 classes or a multiple, and no null class, got 8'],
    ['no classes', file, { 'symmetry.asCondition': true }, "symmetry: asCondition: wanted 2 classes or a multiple, and no null class, got undefined"],
    ['a map', writePortable(maps), list('flipRows'), "symmetry: model: wanted one without maps as conditions, got 'map'"],
  ])('are refused: %s', (_, file, edit, message) => {
    expectRefused(edited(file, edit), message);
  }); // biome-ignore format: a line each

  it('may repeat, however often', async () => {
    const often = edited(file, list(...Array(50_000).fill('flipLevels')));
    const drawn = await sample(readPortable(often), { numImages: 3, seed: 1 });
    expect(drawn).toEqual(await sample(readPortable(file), { numImages: 3, seed: 1 }));
  });

  it('are part of the digest', () => {
    const other = edited(file, ({ header, program }) => {
      header.__metadata__.digest = digestOf(file);
      program.symmetry.symmetries = ['flipRows'];
    });
    expectRefused(other, 'file: damaged: its digest differs');
  });
});

const digestOf = (file: Uint8Array): string =>
  (new TextDecoder().decode(file).match(/"digest":"([0-9a-f]+)"/) as RegExpMatchArray)[1] as string;

describe('symmetric', () => {
  it.each<[string, () => unknown, string]>([
    ['a model with symmetries', () => symmetric(symmetric(wide, ['flipRows']), ['flipLevels']), "symmetric: model: wanted a model without symmetries, got ['flipRows']"],
    ['anything else', () => symmetric({} as never, ['flipRows']), 'symmetric: model: wanted a portable model'],
    ['no list', () => symmetric(wide, 'flipRows' as never), "symmetric: symmetries: wanted a list of symmetries, got 'flipRows'"],
    ['a misspelt name', () => symmetric(wide, ['fliprows' as never]), "symmetric: symmetries: wanted 'flipRows' or 'flipColumns' or 'transpose' or 'flipLevels', got 'fliprows': did you mean 'flipRows'?"],
    ['classes that elements do not divide', () => symmetric(square, ['flipRows', 'transpose', 'flipLevels'], { asCondition: true }), 'symmetric: asCondition: wanted 16 classes'],
    ['asCondition 1', () => symmetric(square, ['flipRows'], { asCondition: 1 as never }), 'symmetric: asCondition: wanted true or false, got 1'],
    ['another option', () => symmetric(square, ['flipRows'], { asConditions: true } as never), "symmetric: unknown option 'asConditions': did you mean asCondition?"],
  ])('refuses %s', (_, make, message) => {
    expect(make).toThrow(errorOf(TypeError, message));
  }); // biome-ignore format: a line each

  it('leaves the model as it was, which has no symmetry', () => {
    expect(symmetric(wide, ['flipRows']).nodes).toBe(wide.nodes);
    expect('symmetry' in wide).toBe(false);
  });

  it('of any size refuses to transpose other images before it draws any', async () => {
    const model = symmetric(anySize, ['transpose']);
    const message = "symmetries: wanted square images, for 'transpose', got [2, 3]";
    let calls = 0;
    const onProgress = () => void calls++;
    await expect(sample(model, { imageShape: [2, 3, 1], onProgress })).rejects.toThrow(message);
    expect(calls).toBe(0);
    await expect(logProb(model, { data: new Uint8Array(6), shape: [1, 2, 3, 1] })).rejects.toThrow(message);
  });

  it('is refused where images have one order', async () => {
    const model = symmetric(wide, ['flipLevels']);
    const images = { data: new Uint8Array(6), shape: [1, 2, 3, 1] as const };
    const bytes = await compress(wide, images);
    const wanted = "model: wanted a model without symmetries, got ['flipLevels']";
    expect(() => stepper(model)).toThrow(`stepper: ${wanted}`);
    await expect(compress(model, images)).rejects.toThrow(`compress: ${wanted}`);
    await expect(decompress(model, bytes)).rejects.toThrow(`decompress: ${wanted}`);
    await expect(logProb(model, images, { perValue: true })).rejects.toThrow('logProb: perValue: wanted a model without symmetries');
  });
});
