const FACTORS = [0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93] as const;
const ROTATIONS = [15, 16, 17, 18] as const;
const STATE_ROTATIONS = [19, 17, 15, 13] as const;
const TERMS = [0x561ccd1b, 0x0bcaa747, 0x96cd1c35, 0x32ac3b17] as const;

const rotated = (x: number, by: number) => (x << by) | (x >>> (32 - by));

/**
 * A digest of 128 bits that detects accidental differences: MurmurHash3, x86, 128 bits, seed 0. Bytes may be added in
 * parts of any length.
 *
 * Source: Appleby, https://github.com/aappleby/smhasher, `MurmurHash3_x86_128`.
 */
export class Digest {
  private readonly state = new Int32Array(4);
  private readonly block = new Uint8Array(16);
  private readonly words = new DataView(this.block.buffer);
  private length = 0;

  add(bytes: Uint8Array): this {
    for (let i = 0; i < bytes.length; i++) {
      this.block[this.length++ & 15] = bytes[i] as number;
      if ((this.length & 15) === 0) this.takeBlock(true);
    }
    return this;
  }

  /** The digest, 16 bytes. No bytes can be added afterwards. */
  finish(): Uint8Array {
    const { state } = this;
    this.block.fill(0, this.length & 15);
    if ((this.length & 15) > 0) this.takeBlock(false);
    for (let i = 0; i < 4; i++) state[i] = (state[i] as number) ^ this.length;
    mixAll(state);
    for (let i = 0; i < 4; i++) state[i] = avalanche(state[i] as number);
    mixAll(state);
    const digest = new DataView(new ArrayBuffer(16));
    for (let i = 0; i < 4; i++) digest.setInt32(4 * i, state[i] as number, true);
    return new Uint8Array(digest.buffer);
  }

  private takeBlock(isWhole: boolean): void {
    const { state } = this;
    for (let i = 0; i < 4; i++) {
      const word = Math.imul(this.words.getInt32(4 * i, true), FACTORS[i] as number);
      const mixed = Math.imul(rotated(word, ROTATIONS[i] as number), FACTORS[(i + 1) & 3] as number);
      const next = (state[i] as number) ^ mixed;
      state[i] = next;
      if (!isWhole) continue;
      const sum = rotated(next, STATE_ROTATIONS[i] as number) + (state[(i + 1) & 3] as number);
      state[i] = Math.imul(sum, 5) + (TERMS[i] as number);
    }
  }
}

/** Adds the other words to the first, and then the first to each of them. */
function mixAll(state: Int32Array): void {
  for (let i = 1; i < 4; i++) state[0] = (state[0] as number) + (state[i] as number);
  for (let i = 1; i < 4; i++) state[i] = (state[i] as number) + (state[0] as number);
}

function avalanche(word: number): number {
  let h = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
