/** A value as Node's console prints it, as far as the examples log. */
export function inspect(value) {
  return typeof value === 'string' ? value : inside(value);
}

function inside(value) {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return listOf('', value);
  if (ArrayBuffer.isView(value)) return listOf(`${value.constructor.name}(${value.length}) `, [...value]);
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${inside(field)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

const listOf = (kind, values) =>
  values.length === 0 ? `${kind}[]` : `${kind}[ ${values.map(inside).join(', ')} ]`;
