// Makes a run of the docs again, from the data to its figure: `npm run reproduce -- --help`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { command, stop, text } from '../kit/flags.mjs';
import { markdownTable } from '../tests/bench/lib/report.mjs';
import { python } from './lib/python.mjs';
import { commandsOf, PUBLISHED, readRecipes } from './lib/recipes.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The file of a run that names it. */
const OF_RUN = 'reproduces.txt';

process.on('SIGINT', () => {}); // a training that is interrupted saves what it has, and then this ends too
const program = command(
  'npm run reproduce --',
  'Makes a run of docs/results again: trains with exactly its recipe, and ends in the figure, beside that of the docs.',
)
  .argument('[name]', 'of the run, as --list has it. After an interruption, the same command continues')
  .option(
    '--path <dir>',
    'where its data are, for data sets that are not found by themselves',
    text('a directory'),
  )
  .option('--out <dir>', 'where the run is kept (default: runs/NAME)', text('a directory'))
  .option(
    '--list',
    'all runs: what they reached, in how many CPU hours, and what others published on the same data',
  )
  .option('--dry-run', 'only prints the commands')
  .parse();
const flags = program.opts();
if (flags.list) list(await readRecipes());
else await reproduce(await readRecipes());

function list(recipes) {
  const publishedFor = ({ data, levels, model = 'pixelcnn' }) =>
    PUBLISHED.find((other) => other.data === data && other.levels === (levels ?? other.levels) && other.model === model)?.figure ?? ''; // biome-ignore format: one line
  const rows = recipes.map(({ name, program, settings, figure, hours }) => [
    name,
    program,
    settings.data ?? 'spins',
    settings.levels ?? '',
    settings.model ?? 'pixelcnn',
    settings.steps,
    settings.seed,
    publishedFor(settings),
    figure,
    hours?.toPrecision(2) ?? '',
  ]);
  const header = ['name', 'program', 'data', 'levels', 'network', 'steps', 'seed', 'published', 'here', 'hours']; // biome-ignore format: one line
  console.log(markdownTable(header, rows));
  console.log('\nHours are of CPU time for train.py, and else of wall time on one or two cores.');
  console.log('\nPublished by others:\n');
  const others = PUBLISHED.map(({ data, network, kind, figure, source }) => [
    data,
    network,
    kind,
    figure,
    source,
  ]);
  console.log(markdownTable(['data', 'network', '', 'figure', 'source'], others));
  console.log('\nTables of times are made by one command each, listed by `npm run`, as bench:….');
}

async function reproduce(recipes) {
  const [name] = program.args;
  if (name === undefined) stop('wanted the name of one run; --list has them');
  const recipe = recipes.find((known) => known.name === name);
  if (recipe === undefined) stop(`there is no run '${name}'; --list has them`);
  const here = process.env.INIT_CWD ?? process.cwd(); // npm goes to the root
  const given = (path) => (path === undefined ? undefined : resolve(here, path));
  const path = given(flags.path);
  const out = given(flags.out) ?? join('runs', name);
  const at = (file) => resolve(root, out, file);
  const isBegun = ['run.json', 'checkpoint.safetensors'].some((file) => existsSync(at(file)));
  const kept = existsSync(at(OF_RUN)) ? readFileSync(at(OF_RUN), 'utf8').trim() : undefined;
  if (isBegun && kept !== name) stop(`--out: ${out} holds ${kept === undefined ? 'a run that this program did not begin' : `'${kept}'`}, not '${name}'`); // biome-ignore format: one line
  if (!flags.dryRun) {
    mkdirSync(at('.'), { recursive: true });
    writeFileSync(at(OF_RUN), `${name}\n`);
  }
  for (const [program, args] of commandsOf(recipe, { out, path, isBegun })) {
    const printed = await run(`${program.endsWith('.py') ? 'research' : 'examples'}/${program}`, args);
    if (program === 'train.mjs' && !flags.dryRun && evaluatedStep(at('metrics.jsonl')) < recipe.settings.steps) stop(`not finished: the same command continues`); // biome-ignore format: one line
    const [, ...nats] = /^([\d.]+) ± ([\d.]+) nats an image/m.exec(printed) ?? [];
    const [testNats, testError] = nats.map(Number);
    if (nats.length > 0 && recipe.figure.endsWith('nats'))
      writeFileSync(at('figure.json'), `${JSON.stringify({ testNats, testError })}\n`); // for results.mjs
  }
  console.log(
    `${name}, in the docs: ${recipe.figure}. Expect about that: machines and versions round differently.`,
  );
}

/** The step of the last evaluation in a run's log. */
function evaluatedStep(log) {
  const evaluations = readFileSync(log, 'utf8').split('\n').filter((line) => /"(test|validation)Bits"/.test(line)); // biome-ignore format: one line
  return evaluations.length === 0 ? 0 : JSON.parse(evaluations.at(-1)).step;
}

/** Runs a program in the repository's root, and returns what an evaluation prints. Where it fails, this ends as it does. */
async function run(program, args) {
  const command = program.endsWith('.py') ? python : 'node';
  console.log([command, program, ...args].join(' '));
  if (flags.dryRun) return '';
  const stdout = program.endsWith('evaluate.mjs') ? 'pipe' : 'inherit';
  const options = { stdio: ['inherit', stdout, 'inherit'], cwd: root };
  const child = spawn(command === 'node' ? process.execPath : command, [program, ...args], options);
  const end = () => child.kill(); // without which a training would outlive this
  process.on('SIGTERM', end);
  let printed = '';
  child.stdout?.on('data', (text) => {
    process.stdout.write(text);
    printed += text;
  });
  const [code] = await once(child, 'close').catch(({ message }) => stop(`${message}; research/pytorch/README.md says how to install Python and PyTorch`)); // biome-ignore format: one line
  process.off('SIGTERM', end);
  if (code !== 0) process.exit(code ?? 1);
  return printed;
}
