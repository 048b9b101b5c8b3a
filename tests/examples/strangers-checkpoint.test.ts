import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AutoregressiveModel, checkCausality, gatedPixelCNN } from 'pixelcnn-layers';
import { compareActivations, loadWeights, type NamedTensor, readSafetensors } from 'pixelcnn-layers/weights';
import { beforeAll, describe, expect, it } from 'vitest';
import { findPython } from '../research/python';
import { useBackend } from '../support/backends';
import { type Grouped, pageFunction } from '../support/docs/page-function';
import { temporaryFolder } from '../support/node/temporary-folder';

// docs/guides/a-strangers-checkpoint.md from end to end: the network of strangers_gated.py, whose channels take turns.

const python = findPython();
const CHANNELS = 3;

/** Its names in ours: block0_vertical is layers.0.v, output_conv1 is head.0. */
const parts = { v: 'vertical', h: 'horizontal', v_to_h: 'across', out: 'out' };
const heads = ['output_conv1', 'output_conv2', 'final_conv'];
const names = (name: string) =>
  name
    .replace(/^layers\.(\d)\.(\w+)/, (_, i, part) => `block${i}_${parts[part as keyof typeof parts]}`)
    .replace(/^head\.(\d)/, (_, i) => heads[i] as string)
    .replace('.weight', '.kernel');

describe.skipIf(python === null)("a stranger's checkpoint", () => {
  const folder = temporaryFolder();
  let grouped: Grouped;
  let model: AutoregressiveModel;
  const readFrom = async (name: string) => readSafetensors(await readFile(join(folder, name)));
  beforeAll(async () => {
    await useBackend('wasm');
    const script = fileURLToPath(new URL('strangers_gated.py', import.meta.url));
    const env = { ...process.env, OMP_NUM_THREADS: '1' };
    const { status, stderr } = spawnSync(python as string, ['-B', script, folder], { env, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    grouped = await pageFunction<Grouped>('grouped');
    model = gatedPixelCNN({ imageShape: [5, 5, CHANNELS], levels: 4, hiddenDim: 4, outDim: 4, numBlocks: 2, firstKernelSize: 5 });
  }); // biome-ignore format: one call a line

  const isGate = (name: string) => /\.(?:v|h|v_to_h)(?:\.|$)/.test(name);
  const isOfMask = (name: string) => name.endsWith('.mask');

  /** Loads the weights in our order, but for those that are lost. */
  async function load(lost = '') {
    const ordered = new Map<string, NamedTensor>();
    for (const [name, tensor] of await readFrom('state.safetensors')) {
      if (isOfMask(name)) continue;
      if (name === lost) (tensor.data as Float32Array).fill(0);
      const own = grouped(tensor, 0, CHANNELS, isGate(name));
      const last = own.shape.length === 1 ? own : grouped(own, 1, CHANNELS, name.includes('v_to_h'));
      ordered.set(name, last);
    }
    loadWeights(model, ordered, { from: 'pytorch', names });
  }

  async function compare() {
    const seen = new Map<string, NamedTensor>();
    for (const [name, tensor] of await readFrom('seen.safetensors')) seen.set(name, grouped(tensor, 1, CHANNELS, isGate(name)));
    const ofLayers = (name: string) => (name === 'head.0' ? null : names(name)); // output_conv1 has an activation
    return compareActivations(model, seen.get('image') as NamedTensor, seen, { from: 'pytorch', names: ofLayers });
  }

  it('computes the same here, layer by layer, and sees nothing too early', async () => {
    await load();
    const found = await compare();
    expect(found.map(({ layer }) => layer)).toEqual(expect.arrayContaining(['image', 'block0_vertical', 'block2_out', 'final_conv']));
    expect(found).toHaveLength(15);
    expect(found.filter(({ differs }) => differs)).toEqual([]);
    expect((await checkCausality(model)).causal).toBe(true);
  }); // biome-ignore format: one call a line

  it('shows the first layer that is wrong, in the order in which they are computed', async () => {
    await load('layers.1.v.bias');
    const found = await compare();
    const wrong = found.filter(({ differs }) => differs).map(({ layer }) => layer);
    expect(wrong[0]).toBe('block1_vertical');
    expect(wrong.at(-1)).toBe('final_conv');
    expect(wrong).not.toContain('block0_out');
  });
});
