/** The pixels of images in black and white, eight a byte, the first in the highest bit. @param {Uint8Array} bytes */
export const unpackBits = (bytes) =>
  Uint8Array.from({ length: 8 * bytes.length }, (_, i) => (bytes[i >> 3] >> (7 - (i & 7))) & 1);
