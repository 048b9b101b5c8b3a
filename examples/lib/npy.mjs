/** NumPy's .npy format, of integers: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */

const MAGIC = '\x93NUMPY';
/** The most that NumPy takes too. */
const MOST_HEADER_BYTES = 10_000;
/** What comes before the data is a multiple of it. */
const ALIGNMENT = 64;

/** For each type the array that holds its numbers, and how one is read; those of 64 bits are exact up to 2^53. */
const TYPES = {
  u1: [Uint8Array, (view, at) => view.getUint8(at)],
  i1: [Int8Array, (view, at) => view.getInt8(at)],
  u2: [Uint16Array, (view, at, isLittle) => view.getUint16(at, isLittle)],
  i2: [Int16Array, (view, at, isLittle) => view.getInt16(at, isLittle)],
  u4: [Uint32Array, (view, at, isLittle) => view.getUint32(at, isLittle)],
  i4: [Int32Array, (view, at, isLittle) => view.getInt32(at, isLittle)],
  u8: [Float64Array, (view, at, isLittle) => Number(view.getBigUint64(at, isLittle))],
  i8: [Float64Array, (view, at, isLittle) => Number(view.getBigInt64(at, isLittle))],
};

/**
 * Reads an array of integers, of either byte order.
 *
 * @param {Uint8Array} bytes the whole file
 * @returns {{ data: ArrayLike<number>, shape: number[] }} row-major
 * @throws Error where it is damaged, cut or too long, in Fortran's order, or of another type
 */
export function parseNpy(bytes) {
  const text = (from, to) => String.fromCharCode(...bytes.subarray(from, to));
  if (text(0, MAGIC.length) !== MAGIC) throw new Error('wanted a .npy file, which begins with \\x93NUMPY');
  const [version] = bytes.subarray(MAGIC.length);
  if (![1, 2, 3].includes(version)) throw new Error(`wanted .npy of version 1, 2 or 3, got ${version}`);
  const start = version === 1 ? 10 : 12; // two bytes of length, or four
  if (bytes.length < start) throw new Error('the header is cut');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (end > start + MOST_HEADER_BYTES) {
    throw new Error(`wanted a header of at most ${MOST_HEADER_BYTES} bytes, got ${end - start}`);
  }
  if (bytes.length < end) throw new Error('the header is cut');
  const { type, isLittle, shape } = parseHeader(text(start, end));

  const [Numbers, read] = TYPES[type];
  const bytesEach = Number(type[1]);
  const size = shape.reduce((product, length) => product * length, 1);
  const wanted = end + size * bytesEach;
  if (bytes.length !== wanted) {
    throw new Error(`wanted ${wanted} bytes, for shape [${shape}] of ${type}, got ${bytes.length}`);
  }
  const data = new Numbers(size);
  for (let i = 0; i < size; i++) data[i] = read(view, end + i * bytesEach, isLittle);
  return { data, shape };
}

/** The header is a dictionary of Python: {'descr': '<i8', 'fortran_order': False, 'shape': (10, 8, 8), } */
function parseHeader(header) {
  const field = (name, value) => {
    const found = new RegExp(`['"]${name}['"]\\s*:\\s*${value}\\s*[,}]`).exec(header);
    return found?.slice(1) ?? [];
  };
  const [order, type] = field('descr', `['"]([<>|])([iu]\\d)['"]`);
  if (!Object.hasOwn(TYPES, String(type)) || (order === '|' && type[1] !== '1')) {
    const [other = 'none'] = field('descr', `(['"][^'"]*['"]|\\[[^\\]]*\\])`);
    throw new Error(`wanted integers, u1 to i8, got ${other.slice(0, 40)}`);
  }
  const [isFortran] = field('fortran_order', '(True|False)');
  if (isFortran !== 'False') {
    throw new Error(`wanted C order, as np.ascontiguousarray makes it; fortran_order is ${isFortran}`);
  }
  const [lengths] = field('shape', '\\(([\\d\\s,]*)\\)');
  if (lengths === undefined) throw new Error('wanted a shape in the header, got none');
  const shape = lengths.split(',').filter((length) => length.trim() !== '');
  return { type, isLittle: order !== '>', shape: shape.map(Number) };
}

/**
 * The file of an array of bytes or of 16-bit integers.
 *
 * @param {Uint8Array | Uint16Array} data row-major
 * @param {number[]} shape
 * @returns {Uint8Array}
 */
export function npyOf(data, shape) {
  const isWide = data.BYTES_PER_ELEMENT === 2;
  const header = npyHeader(isWide ? 'u2' : 'u1', shape);
  const start = header.length;
  const file = Buffer.concat([header], start + data.byteLength);
  for (const [i, value] of data.entries()) {
    if (isWide) file.writeUInt16LE(value, start + 2 * i);
    else file[start + i] = value;
  }
  return file;
}

/**
 * What a file begins with; the numbers follow, row-major, the lowest byte first.
 *
 * @param {'u1' | 'u2' | 'f8'} type bytes, 16-bit integers, or floats of 64 bits
 * @param {number[]} shape
 * @returns {Uint8Array}
 */
export function npyHeader(type, shape) {
  const lengths = shape.length === 1 ? `${shape},` : shape.join(', '); // a tuple of Python
  const order = type === 'u1' ? '|' : '<';
  const dictionary = `{'descr': '${order}${type}', 'fortran_order': False, 'shape': (${lengths}), }`;
  const end = Math.ceil((10 + dictionary.length + 1) / ALIGNMENT) * ALIGNMENT;
  const header = Buffer.alloc(end);
  header.write(`${MAGIC}\x01\x00`, 'latin1');
  header.writeUInt16LE(end - 10, 8);
  header.write(`${dictionary.padEnd(end - 11)}\n`, 10, 'latin1');
  return header;
}
