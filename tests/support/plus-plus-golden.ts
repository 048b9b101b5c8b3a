import * as tf from '@tensorflow/tfjs-core';
import { type AutoregressiveModel, pixelCNNPlusPlus } from 'pixelcnn-layers';
import { readContainer } from '../../src/program/safetensors';
import gray from '../golden/pixelcnn-plus-plus/pp_gray.json';
import colour from '../golden/pixelcnn-plus-plus/pp_rgb.json';
import { bytesOf } from './files';

/** What a public PyTorch implementation of PixelCNN++ gives, by name. */
export const goldenPlusPlus = [
  { name: 'pp_gray', ...gray },
  { name: 'pp_rgb', ...colour },
];

type Golden = (typeof goldenPlusPlus)[number];

/** A network as the reference has it, with its weights. */
export async function goldenPlusPlusModel({ name, config }: Golden): Promise<AutoregressiveModel> {
  const imageShape = config.imageShape as [number, number, number];
  const model = pixelCNNPlusPlus({ ...config, imageShape, seed: 1 });
  const { tensors } = readContainer(await bytesOf(`../golden/pixelcnn-plus-plus/${name}.safetensors`));
  const used = new Set<string>();
  const read = (key: string) => {
    used.add(key);
    const { shape, bytes } = tensors.get(key) as { shape: readonly number[]; bytes: Uint8Array };
    return tf.tensor([...new Float32Array(bytes.slice().buffer)], [...shape]);
  };
  const weights = tf.tidy(() =>
    model.layers.flatMap((layer) => {
      const convs = new Map<string, tf.Tensor[]>();
      return layer.weights.map(({ originalName }) => {
        const own = originalName.split('/').at(-1) as string; // conv_in_kernel, kernel, ...
        const [conv, which] = own.includes('_')
          ? [own.slice(0, own.lastIndexOf('_')), own.slice(own.lastIndexOf('_') + 1)]
          : ['', own];
        if (!convs.has(conv)) convs.set(conv, convolution(referenceName(layer.name, conv), read));
        const parts = convs.get(conv) as tf.Tensor[];
        return parts[['kernel', 'gain', 'bias'].indexOf(which)] as tf.Tensor;
      });
    }),
  );
  model.setWeights(weights);
  tf.dispose(weights);
  const left = [...tensors.keys()].filter((key) => !used.has(key));
  if (left.length > 0) throw new Error(`not read: ${left}`);
  return model;
}

/** Kernel [rows,columns,in,out], gain [out] and bias [out] of a convolution. */
function convolution(name: string, read: (key: string) => tf.Tensor): tf.Tensor[] {
  const [v, g, bias] = ['weight_v', 'weight_g', 'bias'].map((part) => read(`${name}.${part}`)) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  if (v.rank === 2) return [tf.expandDims(tf.expandDims(tf.transpose(v))), tf.reshape(g, [-1]), bias]; // [out,in] -> [1,1,in,out]
  if (!name.endsWith('deconv')) return [tf.transpose(v, [2, 3, 1, 0]), tf.reshape(g, [-1]), bias]; // [out,in,rows,columns]
  // Of a transposed convolution the reference normalizes each input by itself: v is [in,out,rows,columns].
  const weight = tf.mul(v, tf.div(g, tf.sqrt(tf.sum(tf.square(v), [1, 2, 3], true))));
  return [tf.transpose(weight, [2, 3, 0, 1]), tf.sqrt(tf.sum(tf.square(weight), [0, 2, 3])), bias];
}

/** The reference's name of one of the convolutions of a layer. */
function referenceName(layer: string, conv: string): string {
  const known: Record<string, string> = {
    stem_u: 'u_init.conv',
    stem_ul_above: 'ul_init.0.conv',
    stem_ul_left: 'ul_init.1.conv',
    final_conv: 'nin_out.lin_a',
  };
  if (known[layer] !== undefined) return known[layer];
  const [, kind, scale = '', index, stream] =
    /^(down|up|downsize|upsize)(\d)_(?:(\d)_)?(u|ul)$/.exec(layer) ?? [];
  if (kind === 'downsize') return `downsize_${stream}_stream.${scale}.conv`;
  if (kind === 'upsize') return `upsize_${stream}_stream.${1 - Number(scale)}.deconv`;
  const part = { conv_in: 'conv_input.conv', conv_skip: 'nin_skip.lin_a', conv_out: 'conv_out.conv' }[conv];
  const layers = kind === 'down' ? `up_layers.${scale}` : `down_layers.${2 - Number(scale)}`;
  return `${layers}.${stream}_stream.${index}.${part}`;
}
