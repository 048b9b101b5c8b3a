import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zerosLike } from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import { loadWeights, type NamedTensor, saveWeights, writeSafetensors } from 'pixelcnn-layers/weights';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/node/temporary-folder';
import { itRefuses, runWell } from './run-script';
import { saveGatedModel } from './save-model';

const folder = temporaryFolder();
/** The weights of a conditional network as somebody's PyTorch has them. */
let theirs: Map<string, NamedTensor>;
beforeAll(async () => {
  await saveGatedModel(join(folder, 'MODEL'), { numClasses: 3 });
  const model = await loadLayersModel(fileSystem(join(folder, 'MODEL')));
  const axes = (name: string) => (name.endsWith('condition.kernel') ? [2, 3] : null); // an nn.Embedding
  const named = [...saveWeights(model, { to: 'pytorch', axes })].map(([name, tensor]): [string, NamedTensor] => [`module.net.${theirName(name)}`, tensor]);
  theirs = new Map(named);
  model.dispose();
  const one = { dtype: 'I64', shape: [], data: BigInt64Array.of(1n) };
  const all = new Map([...named, ['optimizer.step', one], ['module.net.stack.0.mask', one]]);
  await writeFile(join(folder, 'state.safetensors'), writeSafetensors(all));
}); // biome-ignore format: one call a line

const theirName = (name: string) =>
  name
    .replace(/^block(\d+)/, 'stack.$1')
    .replace('conv', 'c')
    .replace(/kernel$/, 'weight');

/** The options that an answer suggests, from its lines of code. */
function suggested(stdout: string) {
  const map = (name: string): Map<string, never> => {
    const [, rows = ''] = new RegExp(`const ${name} = new Map\\(\\[\\n(.*?)\\]\\);`, 's').exec(stdout) ?? [];
    return new Map(JSON.parse(`[${rows.trim().replace(/,$/, '')}]`));
  };
  const [, from] = /from: '(\w+)'/.exec(stdout) as unknown as [string, 'keras' | 'pytorch'];
  const [names, orders] = [map('names'), map('orders')];
  return { from, names: (name: string) => names.get(name) ?? null, axes: (name: string) => orders.get(name) };
}

describe('checkpoint.mjs', () => {
  it('guesses the weights of a renamed state dict, and what it prints loads them', async () => {
    const { stdout } = await runWell('checkpoint.mjs', [join(folder, 'state.safetensors'), '--model', join(folder, 'MODEL')]);
    expect(stdout).toContain('"module.net.stack.0.mask" I64 []  a buffer\n');
    expect(stdout).toContain(`"optimizer.step" I64 []  an optimizer's\n`);
    expect(stdout).toMatch(/ {2}block0_vertical_gate\.condition\.kernel \[1,1,3,\d\] {2}<- "module\.net\.stack\.0_vertical_gate\.condition\.weight" F32 \[3,\d\] \[in,out\] \?\n/);
    expect(stdout).toMatch(/\nAll shapes fit, but \d+ of \d+ weights, marked \?, may be others of their shape: compare activations\.\n$/);
    expect(stdout).not.toContain('All weights are loaded');
    const model = await loadLayersModel(fileSystem(join(folder, 'MODEL')));
    const before = saveWeights(model);
    model.setWeights(model.getWeights().map((weight) => zerosLike(weight)));
    loadWeights(model, theirs, suggested(stdout));
    expect(saveWeights(model)).toEqual(before);
    model.dispose();
  }); // biome-ignore format: one call a line

  it('knows a GPT whose tensors hold several weights', async () => {
    const file = join(folder, 'gpt.safetensors');
    const shapes = { 'h.0.ln.weight': [4], 'h.0.ln.bias': [4], 'h.0.qkv.weight': [12, 4], 'h.0.qkv.bias': [12], 'h.0.out.weight': [4, 4], 'h.0.out.bias': [4], 'wte.weight': [4, 4], 'wpe.weight': [6, 4] };
    const tensors = Object.entries(shapes).map(([name, shape]): [string, NamedTensor] => [name, { dtype: 'F32', shape, data: new Float32Array(shape.reduce((a, b) => a * b)) }]);
    await writeFile(file, writeSafetensors(new Map(tensors)));
    const args = { imageShape: [2, 3, 1], levels: 3, width: 4, heads: 2, layers: 1 };
    const { stdout } = await runWell('checkpoint.mjs', [file, '--factory', 'imageGPT', '--args', JSON.stringify(args)]);
    expect(stdout).toContain('  block0.key.bias [4]  <- "h.0.qkv.bias" F32 [12] second third\n');
    expect(stdout).toContain('  block0.projection.bias [4]  <- "h.0.out.bias" F32 [4] ?\n');
    expect(stdout).toContain('  block0.mlp_in.kernel [1,1,4,16]  <- nothing of its shape is left\n');
    expect(stdout).toContain('left over: nothing\n');
    expect(stdout).toMatch(/\n {2}\["h\.0\.out\.weight","block0\.projection\.kernel"\],\n.*from: 'teddykoker\/image-gpt'/s);
    expect(stdout).not.toContain('["h.0.qkv');
  }); // biome-ignore format: one call a line

  it('says what is missing', async () => {
    const file = join(folder, 'less.safetensors');
    const [first, ...rest] = theirs;
    await writeFile(file, writeSafetensors(new Map([...rest, ['extra', { dtype: 'F32', shape: [99], data: new Float32Array(99) }]])));
    const { stdout } = await runWell('checkpoint.mjs', [file, '--model', join(folder, 'MODEL')]);
    expect(stdout).toContain('left over:\n  "extra" F32 [99]\n');
    expect(stdout).toMatch(/<- nothing of its shape is left\n.*\nThis says loadWeights: tensors: they do not match the model: missing \(1\): /s);
    expect(first?.[0]).toMatch(/^module\.net\./);
  }); // biome-ignore format: one call a line

  it('lists a file alone, with names that control no terminal and end no string', async () => {
    const file = join(folder, 'named.safetensors');
    const names = ['a\u001b[31m', 'b"]);process.exit();//', 'c\u009b2J\u202e', '__proto__'];
    const bias = { dtype: 'F32', shape: [2], data: Float32Array.of(0.5, 1) };
    await writeFile(file, writeSafetensors(new Map(names.map((name) => [name, bias]))));
    const { stdout } = await runWell('checkpoint.mjs', [file]);
    expect(stdout.split('\n').slice(1, -1)).toEqual([
      '  "a\\u001b[31m" F32 [2]',
      '  "b\\"]);process.exit();//" F32 [2]',
      '  "c\\u009b2J\\u202e" F32 [2]',
      '  "__proto__" F32 [2]',
    ]);
    const all = await runWell('checkpoint.mjs', [file, '--model', join(folder, 'MODEL')]);
    for (const letter of ['\u001b', '\u009b', '\u202e']) expect(all.stdout).not.toContain(letter);
  });
});

describe('checkpoint.mjs, of what it does not take,', () => {
  beforeAll(async () => {
    await writeFile(join(folder, 'CUT'), writeSafetensors(theirs));
    await truncate(join(folder, 'CUT'), 100);
    await writeFile(join(folder, 'PICKLE'), Uint8Array.of(0x80, 2, 0x63));
    await writeFile(join(folder, 'JUNK'), 'junk');
  });
  itRefuses(
    [
      ["'/nowhere': does not exist", ['checkpoint.mjs', '/nowhere']],
      ['bytes that the file states, got', ['checkpoint.mjs', 'PLACE/CUT']],
      ['pickles of PyTorch are not read', ['checkpoint.mjs', 'PLACE/PICKLE']],
      ['wanted safetensors, .npz, ', ['checkpoint.mjs', 'PLACE/JUNK']],
      ["--model: '/nowhere' does not exist", ['checkpoint.mjs', 'PLACE/state.safetensors', '--model', '/nowhere']],
    ],
    () => ({ PLACE: folder }),
  );
});
