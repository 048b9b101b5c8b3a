/** The sizes that determine how many parameters a pixel has, and where they lie. */
export interface MixtureSizes {
  readonly imageChannels: number;
  readonly components: number;
}

/** Where each block of parameters begins. A block has one number for each component. */
export interface ParameterOffsets {
  readonly logits: number;
  /** Of each channel. */
  readonly means: readonly number[];
  /** Of each channel. */
  readonly logScales: readonly number[];
  /** Of each channel, for each channel before it. */
  readonly coefficients: readonly (readonly number[])[];
}

/** Each component has a logit, a mean and a log scale for each channel, and a coefficient for each pair of channels. */
export function numParameters({ imageChannels, components }: MixtureSizes): number {
  return components * (1 + 2 * imageChannels + (imageChannels * (imageChannels - 1)) / 2);
}

/**
 * The order of a pixel's parameters: logits, then means and log scales channel by channel, then the
 * coefficients of channel 1 on 0, 2 on 0, 2 on 1, and so on. Three channels use the order of OpenAI's
 * PixelCNN++ instead (Salimans et al. 2017), so that its weights can be loaded: each channel's means and log
 * scales are followed by coefficients, of green on red, blue on red, and blue on green.
 */
export function parameterOffsets(sizes: MixtureSizes): ParameterOffsets {
  const { imageChannels, components } = sizes;
  const { channelStride, coefficients, pairStride } = parameterStrides(sizes);
  const channels = Array.from({ length: imageChannels }, (_, channel) => channel);
  const means = channels.map((channel) => components + channel * channelStride);
  return {
    logits: 0,
    means,
    logScales: means.map((offset) => offset + components),
    coefficients: channels.map((channel) => {
      const pairs = (channel * (channel - 1)) / 2; // of pairs of earlier channels
      return channels.slice(0, channel).map((earlier) => coefficients + (pairs + earlier) * pairStride);
    }),
  };
}

/** {@link parameterOffsets} as strides of channels and pairs, and the offset of the first pair's coefficients. */
export function parameterStrides({ imageChannels, components }: MixtureSizes) {
  return imageChannels === 3
    ? { channelStride: 3 * components, coefficients: 3 * components, pairStride: 3 * components }
    : {
        channelStride: 2 * components,
        coefficients: (1 + 2 * imageChannels) * components,
        pairStride: components,
      };
}
