/** A place in an image. */
export type Place = [row: number, column: number, channel: number];

/** Height, width and channels. */
export type ImageShape = readonly [number, number, number];

/** How many values an image has. */
export const sizeOf = ([height, width, channels]: ImageShape): number => height * width * channels;

/** The place of a value, in the order rows, columns, channels. */
export const placeOf = (index: number, [, width, channels]: ImageShape): Place => [
  Math.floor(index / (width * channels)),
  Math.floor(index / channels) % width,
  index % channels,
];

/** The index of a place. */
export const indexOfPlace = (
  [row, column, channel]: Readonly<Place>,
  [, width, channels]: ImageShape,
): number => (row * width + column) * channels + channel;
