import { appendFileSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import CRC32C from 'crc-32/crc32c.js';
import protobuf from 'protobufjs';

/** The parts of TensorFlow's event.proto and summary.proto that are used. */
const { Event } = protobuf.parse(`
  syntax = "proto3";
  message Event {
    double wall_time = 1;
    int64 step = 2;
    oneof what {
      string file_version = 3;
      Summary summary = 5;
      SessionLog session_log = 7;
    }
  }
  message Summary {
    message Image {
      int32 height = 1;
      int32 width = 2;
      int32 colorspace = 3;
      bytes encoded_image_string = 4;
    }
    message Value {
      string tag = 1;
      oneof value {
        float simple_value = 2;
        Image image = 4;
      }
    }
    repeated Value value = 1;
  }
  message SessionLog {
    enum Status { UNSPECIFIED = 0; START = 1; }
    Status status = 1;
  }
`).root;

const START = 1;
let opened = 0;

/**
 * Begins a file of TensorBoard's events. Each record is written at once, so a kill at any moment
 * leaves complete records and perhaps a truncated one at the end, which TensorBoard skips.
 *
 * @param {string} directory created if it is missing; the run's earlier files stay
 * @param {{ step?: number }} [options] `step`: the run continues after this step, so TensorBoard drops later
 * steps of earlier files
 * @returns {EventFile}
 *
 * @typedef {object} EventFile
 * @property {(tag: string, value: number, step: number) => void} scalar
 * @property {(tag: string, png: Uint8Array, size: { width: number, height: number, channels: number }, step: number) => void} image
 * @property {() => void} close
 */
export function openEventFile(directory, { step: last } = {}) {
  mkdirSync(directory, { recursive: true });
  const file = openSync(join(directory, fileName()), 'ax');
  const write = (event) => {
    const data = Event.encode(Event.fromObject({ wallTime: Date.now() / 1000, ...event })).finish();
    appendFileSync(file, record(data));
  };
  const summary = (step, value) => write({ step, summary: { value: [value] } });

  write({ fileVersion: 'brain.Event:2' });
  if (last !== undefined) write({ step: last + 1, sessionLog: { status: START } }); // drops this step and later ones
  return {
    scalar: (tag, value, step) => summary(step, { tag, simpleValue: value }),
    image(tag, png, { width, height, channels }, step) {
      summary(step, { tag, image: { width, height, colorspace: channels, encodedImageString: png } });
    },
    close: () => closeSync(file),
  };
}

/**
 * A name that sorts after the names of all earlier files, since TensorBoard reads files in the order of names.
 */
function fileName() {
  const [seconds, fraction] = (Date.now() / 1000).toFixed(3).split('.');
  opened += 1;
  return `events.out.tfevents.${seconds}.${fraction}.${process.pid}.${opened}`;
}

/** A TFRecord: the length, its checksum, the data, their checksum; all numbers are little-endian. */
function record(data) {
  const bytes = Buffer.alloc(8 + 4 + data.length + 4);
  bytes.writeBigUInt64LE(BigInt(data.length), 0);
  bytes.writeUInt32LE(maskedCrc(bytes.subarray(0, 8)), 8);
  bytes.set(data, 12);
  bytes.writeUInt32LE(maskedCrc(data), 12 + data.length);
  return bytes;
}

/** CRC-32C, rotated and shifted as TFRecord requires. */
function maskedCrc(bytes) {
  const crc = CRC32C.buf(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
