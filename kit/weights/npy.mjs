/** NumPy's .npy format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */

const MAGIC = '\x93NUMPY';
/** The longest header, as in NumPy. */
const MAX_HEADER_BYTES = 10_000;
/** The data begin at a multiple of this. */
const ALIGNMENT = 64;

/**
 * For each type of integer, the array that holds its numbers, and how one is read. Integers of 64 bits are
 * exact up to 2^53.
 */
const INTEGERS = {
  u1: [Uint8Array, (view, at) => view.getUint8(at)],
  i1: [Int8Array, (view, at) => view.getInt8(at)],
  u2: [Uint16Array, (view, at, isLittle) => view.getUint16(at, isLittle)],
  i2: [Int16Array, (view, at, isLittle) => view.getInt16(at, isLittle)],
  u4: [Uint32Array, (view, at, isLittle) => view.getUint32(at, isLittle)],
  i4: [Int32Array, (view, at, isLittle) => view.getInt32(at, isLittle)],
  u8: [Float64Array, (view, at, isLittle) => Number(view.getBigUint64(at, isLittle))],
  i8: [Float64Array, (view, at, isLittle) => Number(view.getBigInt64(at, isLittle))],
};

/** The name of each type in safetensors, and so in a `NamedTensor` of pixelcnn-layers/weights. */
const DTYPES = {
  b1: 'BOOL',
  u1: 'U8',
  i1: 'I8',
  u2: 'U16',
  i2: 'I16',
  u4: 'U32',
  i4: 'I32',
  u8: 'U64',
  i8: 'I64',
  f2: 'F16',
  f4: 'F32',
  f8: 'F64',
};

/**
 * Reads an array of integers, of either byte order.
 *
 * @param {Uint8Array} bytes the whole file
 * @returns {{ data: ArrayLike<number>, shape: number[] }} row-major
 * @throws Error where it is damaged, cut or too long, in Fortran's order, or of another type
 */
export function parseNpy(bytes) {
  const { type, isLittle, shape, body } = parse(bytes, 'integers, u1 to i8', INTEGERS);
  const [Numbers, read] = INTEGERS[type];
  const bytesEach = Number(type[1]);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const data = new Numbers(body.length / bytesEach);
  for (let i = 0; i < data.length; i++) data[i] = read(view, i * bytesEach, isLittle);
  return { data, shape };
}

/**
 * Reads an array of any type of number, of either byte order.
 *
 * @param {Uint8Array} bytes the whole file
 * @returns {import('pixelcnn-layers/weights').NamedTensor}
 * @throws Error where it is damaged, cut or too long, in Fortran's order, or of another type
 */
export function npyTensor(bytes) {
  const { type, isLittle, shape, body } = parse(bytes, 'numbers, b1, u1 to i8, f2 to f8', DTYPES);
  const data = new Uint8Array(body);
  const bytesEach = Number(type[1]);
  if (!isLittle) {
    for (let at = 0; at < data.length; at += bytesEach) data.subarray(at, at + bytesEach).reverse();
  }
  return { dtype: DTYPES[type], shape, data };
}

/**
 * Reads the header, and returns its contents and the bytes of the numbers. `types` has a key for each accepted type.
 */
function parse(bytes, wanted, types) {
  const text = (from, to) => String.fromCharCode(...bytes.subarray(from, to));
  if (text(0, MAGIC.length) !== MAGIC) throw new Error('wanted a .npy file, which begins with \\x93NUMPY');
  const [version] = bytes.subarray(MAGIC.length);
  if (![1, 2, 3].includes(version)) throw new Error(`wanted .npy of version 1, 2 or 3, got ${version}`);
  const start = version === 1 ? 10 : 12; // two bytes of length, or four
  if (bytes.length < start) throw new Error('the header is cut');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (end > start + MAX_HEADER_BYTES) {
    throw new Error(`wanted a header of at most ${MAX_HEADER_BYTES} bytes, got ${end - start}`);
  }
  if (bytes.length < end) throw new Error('the header is cut');
  const { type, isLittle, shape } = parseHeader(text(start, end), wanted, types);

  const size = shape.reduce((product, length) => product * length, 1);
  const whole = end + size * Number(type[1]);
  if (bytes.length !== whole) {
    throw new Error(`wanted ${whole} bytes, for shape [${shape}] of ${type}, got ${bytes.length}`);
  }
  return { type, isLittle, shape, body: bytes.subarray(end) };
}

/** The header is a dictionary of Python: {'descr': '<i8', 'fortran_order': False, 'shape': (10, 8, 8), } */
function parseHeader(header, wanted, types) {
  const field = (name, value) => {
    const found = new RegExp(`['"]${name}['"]\\s*:\\s*${value}\\s*[,}]`).exec(header);
    return found?.slice(1) ?? [];
  };
  const [order, type] = field('descr', `['"]([<>|])([a-z]\\d)['"]`);
  if (!Object.hasOwn(types, String(type)) || (order === '|' && type[1] !== '1')) {
    const [other = 'none'] = field('descr', `(['"][^'"]*['"]|\\[[^\\]]*\\])`);
    throw new Error(`wanted ${wanted}, got ${other.slice(0, 40)}`);
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

/** Types by the bytes of a number. Machines that run this are little-endian. */
const WRITTEN = { 1: 'u1', 2: 'u2', 4: 'f4' };

/**
 * The file of an array of bytes, of 16-bit integers or of float32.
 *
 * @param {Uint8Array | Uint16Array | Float32Array} data row-major
 * @param {readonly number[]} shape
 * @returns {Uint8Array}
 */
export function npyOf(data, shape) {
  const header = npyHeader(WRITTEN[data.BYTES_PER_ELEMENT], shape);
  const file = Buffer.concat([header], header.length + data.byteLength);
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length);
  return file;
}

/**
 * The start of a file. The numbers follow, row-major and little-endian.
 *
 * @param {'u1' | 'u2' | 'f4' | 'f8'} type bytes, 16-bit integers, or floats of 32 or 64 bits
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
