import { checkpoints } from 'pixelcnn-layers/node';
import { mkdtemp, writeFile, readdir, readFile, rm, cp } from 'node:fs/promises';
import { join } from 'node:path'; import { tmpdir } from 'node:os';
const d = await mkdtemp(join(tmpdir(), 'zz-'));
const c = checkpoints(d); const put = (t) => (p) => writeFile(join(p, 'f'), t);
await c.save(10, { best: 3 }, put('a'), { isBest: true });
// what a kill between the two pointers leaves: latest.json renamed, best.json not yet
const best = await readFile(join(d, 'best.json')); await cp(join(d, 'step-10'), '/tmp/zz/keep', { recursive: true });
await c.save(20, { best: 2 }, put('b'), { isBest: true });
await writeFile(join(d, 'best.json'), best); await cp('/tmp/zz/keep', join(d, 'step-10'), { recursive: true });
// resumed: best is 2 from the state; next figure 2.5
const { state } = await c.latest(); console.log('resumed with best', state.best);
await c.save(30, { best: 2 }, put('c'), { isBest: 2.5 < state.best });
console.log('best.json ->', (await c.best()).step, JSON.stringify((await c.best()).state), await readdir(d));
// bad args and leftovers
for (const s of [NaN, -1, 1.5, 'x']) await c.save(s, {}, put('z')).then(() => console.log('saved', s), (e) => console.log(s, e.message));
await c.save(40, {}, put('k')); console.log(await readdir(d));
await c.save(50, {}, async (p) => { await writeFile(join(p, 'f'), 'x'.repeat(1000)); throw new Error('ENOSPC'); }).catch((e) => console.log(e.message));
await c.save(51, {}, async () => { throw new Error('ENOSPC'); }).catch((e) => console.log(e.message));
console.log('left after failures', await readdir(d));
await writeFile(join(d, 'latest.json'), '{}'); await c.latest().catch((e) => console.log(e.message));
await writeFile(join(d, 'latest.json'), '{"checkpoint":"step-40"}'); await writeFile(join(d, 'step-40', 'state.json'), '{"st'); await c.latest().catch((e) => console.log(e.message));
await rm(d, { recursive: true });
