import { pixelCNN, toPortable } from 'pixelcnn-layers';
import { type PortableModel, readPortable, writePortable } from 'pixelcnn-layers/runtime';
import { expect, it } from 'vitest';
import { digestOf } from '../../../src/runtime/program/file';
import { readContainer, writeContainer } from '../../../src/runtime/program/safetensors';
import { onBackend } from '../../support/backends';
import { portableModel } from '../../support/models/portable-model.mjs';
import { expectCleanRefusal } from '../../support/tensors';

const LEVELS = 5;
const greys = Uint8Array.of(0, 60, 120, 180, 255);
const colours = Uint8Array.from({ length: 3 * LEVELS }, (_, i) => 17 * i);
const info = { name: 'Rivers', 'licence of data': 'CC0 – “free”\n\ud83d\ude00', hasOwn: '' };

onBackend('cpu', 'a palette and information', () => {
  const build = () => pixelCNN({ imageShape: [2, 2, 1], levels: LEVELS, hiddenDim: 1, outDim: 1, numBlocks: 0 });

  it('go into a model, as copies, and through files and clones', async () => {
    const model = build();
    const [palette, given] = [colours.slice(), { ...info }];
    const portable = await toPortable(model, { palette, info: given });
    palette.fill(0);
    given.name = 'other';
    model.dispose();
    for (const one of [portable, structuredClone(portable)])
      for (const weights of ['float32', 'float16', 'int8'] as const) {
        const read = readPortable(writePortable(one, { weights }));
        for (const { palette, info: kept } of [one, read, structuredClone(read)]) {
          expect(palette).toEqual(colours);
          expect(kept).toEqual(info);
        }
        expect([...read.weights.keys()].sort()).toEqual([...portable.weights.keys()].sort());
      }
    const file = writePortable(portable);
    expect(writePortable(readPortable(file))).toEqual(file);
  });

  it('are each kept alone, and are not there if not given', async () => {
    const plain = portableModel({ levels: LEVELS });
    for (const given of [{}, { palette: greys }, { info }, { info: {} }]) {
      const read = readPortable(writePortable({ ...plain, ...given }));
      expect(Object.keys(read).filter((name) => name === 'palette' || name === 'info')).toEqual(Object.keys(given));
      expect(read).toMatchObject(given);
    }
  });

  it('do not change which model it is, but damage of them is noticed', () => {
    const plain = portableModel({ levels: LEVELS });
    const described: PortableModel = { ...plain, palette: greys, info };
    expect(digestOf(described)).toEqual(digestOf(plain));
    const file = writePortable(described);
    const edits: ((parts: ReturnType<typeof mapsOf>) => void)[] = [
      ({ tensors }) => ((tensors.get('__palette__') as { bytes: Uint8Array }).bytes[1] = 61),
      ({ tensors }) => tensors.delete('__palette__'),
      ({ metadata }) => metadata.delete('info'),
      ({ metadata }) => metadata.set('info', JSON.stringify({ ...info, name: 'rivers' })),
    ];
    for (const edit of edits) expect(() => readPortable(edited(file, edit))).toThrow('readPortable: file: damaged: its digest differs');
  });

  const wrong: [what: string, given: object, message: string][] = [
    ['a list as a palette', { palette: [1, 2, 3, 4, 5] }, 'palette: wanted a Uint8Array'],
    ['a clamped palette', { palette: new Uint8ClampedArray(5) }, 'palette: wanted a Uint8Array'],
    ['a palette of two bytes', { palette: new Uint8Array(10) }, 'palette: wanted 1 or 3 bytes for each of 5 levels, got 10'],
    ['information as a text', { info: 'text' }, "info: wanted an object, got 'text'"],
    ['a list of information', { info: ['a'] }, 'info: wanted an object'],
    ['a map', { info: new Map([['a', 'b']]) }, 'info: wanted an object of strings by name, got Map'],
    ['a number', { info: { year: 2024 } }, "info: 'year': wanted a string, got 2024"],
    ['a long name', { info: { ['a'.repeat(65)]: '' } }, 'info: wanted names of 1 to 64 letters'],
    ['no name', { info: { '': '' } }, 'info: wanted names of 1 to 64 letters'],
    ['a long text', { info: { a: 'a'.repeat(65_537) } }, "info: 'a': wanted at most 65536 letters, got 65537"],
    ['many entries', { info: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`a${i}`, ''])) }, 'info: wanted at most 100 entries, got 101'],
    ['the name of a prototype', { info: JSON.parse('{"__proto__":"a"}') }, "info: wanted names of 1 to 64 letters, none a built-in property, got '__proto__'"],
    ['the name of a constructor', { info: { constructor: 'a' } }, "info: wanted names of 1 to 64 letters, none a built-in property, got 'constructor'"],
  ]; // biome-ignore format: a case a line

  it.each(wrong)('are refused as they are: %s', async (_, given, message) => {
    const model = build();
    await expectCleanRefusal(() => toPortable(model, given), `toPortable: ${message}`);
    model.dispose();
    const plain = portableModel({ levels: LEVELS });
    expect(() => writePortable({ ...plain, ...given })).toThrow(`writePortable: model: ${message}`);
  });

  it('are left out where they are null, as options are, but not in a model', async () => {
    const model = build();
    expect(await toPortable(model, { palette: null, info: null } as never)).toEqual(await toPortable(model));
    model.dispose();
    const plain = portableModel({ levels: LEVELS });
    expect(() => writePortable({ ...plain, palette: null } as never)).toThrow(
      'writePortable: model: palette: wanted a Uint8Array, got null',
    );
  });

  it('may be as long as this', async () => {
    const most = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [String(i).padStart(64, 'a'), 'b'.repeat(i === 7 ? 65_536 : 1)]));
    expect(readPortable(writePortable({ ...portableModel(), info: most })).info).toEqual(most);
  });

  it('are checked in a file of anyone', () => {
    const file = writePortable({ ...portableModel({ levels: LEVELS }), palette: greys, info });
    const inInfo = (json: string) => edited(file, ({ metadata }) => metadata.set('info', json));
    const inPalette = (dtype: string, shape: number[], bytes: number) =>
      edited(file, ({ tensors }) => tensors.set('__palette__', { dtype, shape, bytes: new Uint8Array(bytes) }));
    for (const [bytes, message] of [
      [inInfo('{"__proto__":"a"}'), 'info: wanted names of 1 to 64 letters'],
      [inInfo('{"a":"b","a":"c"}'), 'info: an object has a duplicate name'],
      [inInfo('{"a":{"b":"c"}}'), "info: 'a': wanted a string"],
      [inInfo('null'), 'info: wanted an object'],
      [inInfo('{'), 'info: not JSON'],
      [inPalette('I8', [5, 1], 5), "palette: dtype: wanted U8, got 'I8'"],
      [inPalette('U8', [5], 5), 'palette: shape: wanted [5,1] or [5,3], got [5]'],
      [inPalette('U8', [3, 5], 15), 'palette: shape: wanted [5,1] or [5,3], got [3, 5]'],
      [inPalette('U8', [5, 2], 10), 'palette: shape: wanted [5,1] or [5,3], got [5, 2]'],
    ] as const)
      expect(() => readPortable(bytes)).toThrow(message);
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });

  it('have a place that no weight takes', () => {
    const model = portableModel();
    const [[name, weight] = []] = model.weights;
    const weights = new Map([...model.weights].map(([key, one]) => [key === name ? '__palette__' : key, one]));
    expect(weight).toBeDefined();
    const nodes = JSON.parse(JSON.stringify(model.nodes).replaceAll(`"${name}"`, '"__palette__"'));
    expect(() => writePortable({ ...model, nodes, weights })).toThrow("no weight of this name, got '__palette__'");
  });
});

function mapsOf(file: Uint8Array) {
  const { tensors, metadata } = readContainer(file);
  const copies = [...tensors].map(([name, one]) => [name, { ...one, bytes: one.bytes.slice() }] as const);
  return { tensors: new Map(copies), metadata: new Map(metadata) };
}

function edited(file: Uint8Array, edit: (parts: ReturnType<typeof mapsOf>) => void): Uint8Array {
  const parts = mapsOf(file);
  edit(parts);
  return writeContainer(parts);
}
