import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEventFile } from '../../kit/runs/tensorboard.mjs';
import { temporaryFolder } from '../support/node/temporary-folder';

// A reader of its own, after the formats' descriptions: nothing is shared with the writer.

/** CRC-32C, bit by bit: the reflected polynomial is 0x82f63b78. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** TFRecord's mask: the checksum rotated right by 15 bits, plus a constant. */
function masked(crc: number): number {
  const rotated = (BigInt(crc) >> 15n) | ((BigInt(crc) << 17n) & 0xffffffffn);
  return Number((rotated + 0xa282ead8n) & 0xffffffffn);
}

/** The data of every whole record, and how many bytes of a cut one follow. */
function records(file: Buffer): { whole: Buffer[]; left: number } {
  const whole: Buffer[] = [];
  let at = 0;
  while (file.length - at >= 12) {
    const length = Number(file.readBigUInt64LE(at));
    if (file.length - at < 12 + length + 4) break;
    expect(file.readUInt32LE(at + 8)).toBe(masked(crc32c(file.subarray(at, at + 8))));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(file.readUInt32LE(at + 12 + length)).toBe(masked(crc32c(data)));
    whole.push(data);
    at += 12 + length + 4;
  }
  return { whole, left: file.length - at };
}

/** The fields of a protobuf message by number: varints as numbers, all others as their bytes. */
function fields(message: Buffer): Record<number, number | Buffer> {
  const found: Record<number, number | Buffer> = {};
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++] as number;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const bytes = (length: number) => {
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const key = varint();
    const wire = key % 8;
    const number = Math.floor(key / 8);
    if (wire === 0) found[number] = varint();
    else if (wire === 1) found[number] = bytes(8);
    else if (wire === 2) found[number] = bytes(varint());
    else if (wire === 5) found[number] = bytes(4);
    else throw new Error(`wire type ${wire}`);
  }
  return found;
}

const inside = (message: Record<number, number | Buffer>, number: number) => fields(message[number] as Buffer);

const directory = temporaryFolder({ isOfEachTest: true });

/** The records of each file, in the order of their names. */
async function readAll() {
  const names = (await readdir(directory)).sort();
  expect(names.every((name) => name.includes('tfevents'))).toBe(true);
  const files = await Promise.all(names.map((name) => readFile(join(directory, name))));
  return files.map(records);
}

it('the reader here has the checksum that CRC-32C has of 123456789', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});

describe('event files', () => {
  it('begin with the version', async () => {
    const before = Date.now() / 1000;
    openEventFile(directory).close();
    const [file] = await readAll();
    expect(file).toMatchObject({ left: 0, whole: { length: 1 } });
    const event = fields(file?.whole[0] as Buffer);
    expect(String(event[3])).toBe('brain.Event:2');
    const time = (event[1] as Buffer).readDoubleLE();
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now() / 1000);
  });

  it('hold scalars and images', async () => {
    const events = openEventFile(directory);
    const png = Buffer.from(Array.from({ length: 300 }, (_, i) => i % 256));
    events.scalar('train/bits', 1.5, 7);
    events.image('samples', png, { width: 20, height: 10, channels: 4 }, 2 ** 33);
    events.close();
    const [file] = await readAll();
    const [, scalar, image] = (file?.whole ?? []).map(fields);
    expect(scalar?.[2]).toBe(7);
    const value = inside(inside(scalar ?? {}, 5), 1);
    expect(String(value[1])).toBe('train/bits');
    expect((value[2] as Buffer).readFloatLE()).toBe(1.5);
    expect(image?.[2]).toBe(2 ** 33);
    const picture = inside(inside(image ?? {}, 5), 1);
    expect(String(picture[1])).toBe('samples');
    const { 1: height, 2: width, 3: colorspace, 4: encoded } = inside(picture, 4);
    expect({ height, width, colorspace }).toEqual({ height: 10, width: 20, colorspace: 4 });
    expect(png.equals(encoded as Buffer)).toBe(true);
  });

  it('go on in a new file, which drops what earlier ones have of later steps', async () => {
    const first = openEventFile(directory);
    for (const step of [1, 2, 3]) first.scalar('bits', step, step);
    first.close();
    const second = openEventFile(directory, { step: 2 });
    second.scalar('bits', 3, 3);
    second.close();
    const [earlier, later] = await readAll();
    expect(earlier?.whole).toHaveLength(4);
    const [version, start, scalar] = (later?.whole ?? []).map(fields);
    expect(String(version?.[3])).toBe('brain.Event:2');
    expect(start?.[2]).toBe(3);
    expect(inside(start ?? {}, 7)[1]).toBe(1); // SessionLog, START
    expect(scalar?.[2]).toBe(3);
  });

  it('are whole up to their last record before they are closed, as a program that is killed leaves them', async () => {
    const events = openEventFile(directory);
    for (const step of [0, 1, 2]) events.image('noise', new Uint8Array(5000).fill(step), { width: 1, height: 1, channels: 1 }, step);
    expect(await readAll()).toMatchObject([{ left: 0, whole: { length: 4 } }]);
    events.close();
  });
});
