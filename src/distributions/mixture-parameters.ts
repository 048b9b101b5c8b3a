/** What says how many parameters of a mixture of logistics a pixel has, and where each lies. */
export interface MixtureSizes {
  readonly imageChannels: number;
  readonly components: number;
}

/** Where the numbers of each kind begin among a pixel's parameters, one a component side by side. */
export interface ParameterOffsets {
  readonly logits: number;
  /** Of each channel. */
  readonly means: readonly number[];
  /** Of each channel. */
  readonly logScales: readonly number[];
  /** Of each channel, one for each channel before it. */
  readonly coefficients: readonly (readonly number[])[];
}

/** Parameters of a pixel: a logit a component; of each channel a mean and a log scale; a coefficient a pair of channels. */
export function numParameters({ imageChannels, components }: MixtureSizes): number {
  return components * (1 + 2 * imageChannels + (imageChannels * (imageChannels - 1)) / 2);
}

/**
 * The order of a pixel's parameters: logits, then means and log scales channel by channel, then the coefficients of
 * channel 1 on 0, 2 on 0, 2 on 1, and so on. Three channels have the order of OpenAI's PixelCNN++ instead
 * (Salimans et al. 2017), whose weights can be had: each channel's means and log scales are followed by
 * coefficients, red's by green on red, green's by blue on red, blue's by blue on green.
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
      const pairs = (channel * (channel - 1)) / 2; // of the channels before it
      return channels.slice(0, channel).map((earlier) => coefficients + (pairs + earlier) * pairStride);
    }),
  };
}

/**
 * {@link parameterOffsets} in three numbers: from a channel's means to the next one's, where the first pair's
 * coefficients begin, and from there to the next pair's.
 */
export function parameterStrides({ imageChannels, components }: MixtureSizes) {
  return imageChannels === 3
    ? { channelStride: 3 * components, coefficients: 3 * components, pairStride: 3 * components }
    : {
        channelStride: 2 * components,
        coefficients: (1 + 2 * imageChannels) * components,
        pairStride: components,
      };
}
