/**
 * Builds @tensorflow/tfjs-node into .tfjs-node/, for tests and examples on its backend, `tensorflow`: from
 * npm's sources and the C library of TensorFlow in its Python wheel. Its own install would download a binary
 * from Google; here npm and PyPI are enough. Does nothing if it is already built, and copies what another checkout has
 * built, from ~/.cache/pixelcnn-layers: as links where both are on one disk, so change nothing in it.
 *
 * Usage: node scripts/build-tfjs-node.mjs
 * Needs: Linux on x64, g++, Python 3 with pip (that of .venv, where there is one), 1.1 GB of disk, of which 840 MB stay.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VERSION = '4.22.0';
/**
 * Newer than the 2.9.1 that tfjs-node requires, of which PyPI has no wheel for current Pythons; the C API has
 * not changed.
 */
const TENSORFLOW = '2.15.1';
const WHEEL = {
  requirement: `tensorflow-cpu==${TENSORFLOW}`,
  sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
  // Any Python may run pip, since only the contents of the wheel are used.
  platform: [
    '--python-version=3.11',
    '--implementation=cp',
    '--abi=cp311',
    '--platform=manylinux_2_17_x86_64',
  ],
};
/** The headers of Node-API, which suit every Node; node-gyp would download this Node's. */
const HEADERS = '1.9.0';
const NAPI = 8;
const DEPENDENCIES = { '@tensorflow/tfjs-node': VERSION, 'node-api-headers': HEADERS };

const root = fileURLToPath(new URL('..', import.meta.url));
const home = join(root, '.tfjs-node');
const modules = join(home, 'node_modules');
const tfjsNode = join(modules, '@tensorflow', 'tfjs-node');
const deps = join(tfjsNode, 'deps');
const binding = join(tfjsNode, 'lib', `napi-v${NAPI}`, 'tfjs_binding.node');
const stamp = join(home, 'built.json');
const core = join(root, 'node_modules', '@tensorflow', 'tfjs-core');
if (!existsSync(core)) throw new Error('wanted the packages of the project: npm ci');
const tfjs = versionOf(core);
const built = JSON.stringify({ tfjsNode: VERSION, tensorflow: TENSORFLOW, headers: HEADERS, tfjs });

function say(text) {
  console.log(`tfjs-node: ${text}`);
}

function versionOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}

function run(command, args, cwd = home) {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** Runs a download up to three times, since pip gives up if a long download breaks off. */
function download(command, args) {
  for (let attempt = 1; ; attempt++) {
    try {
      return run(command, args);
    } catch (error) {
      if (attempt === 3) throw error;
      say(`${error.message}: once more`);
    }
  }
}

const isBuilt = () => existsSync(binding) && existsSync(stamp) && readFileSync(stamp, 'utf8') === built;

/** Where it is kept for other checkouts, by the versions of all that is in it. */
const cache = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'pixelcnn-layers',
  `tfjs-node-${VERSION}-tensorflow-${TENSORFLOW}-headers-${HEADERS}-tfjs-${tfjs}`,
);

/** Copies a folder that does not exist yet: as links to the same files where both are on one file system. */
function copy(from, to) {
  const unfinished = `${to}.${process.pid}`;
  mkdirSync(dirname(to), { recursive: true });
  const { status } = spawnSync('cp', ['-al', from, unfinished], { stdio: 'ignore' });
  if (status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    run('cp', ['-a', from, unfinished], root);
  }
  if (existsSync(to))
    rmSync(unfinished, { recursive: true }); // another checkout was faster
  else renameSync(unfinished, to);
}

function checkMachine() {
  const machine = `${process.platform} ${process.arch}`;
  if (machine !== 'linux x64')
    throw new Error(`wanted linux x64, got ${machine}: npm install @tensorflow/tfjs-node`);
  if (spawnSync('g++', ['--version']).error) throw new Error('wanted g++ in the path: apt-get install g++');
  if (spawnSync(python, ['-m', 'pip', '--version']).status !== 0) {
    throw new Error(
      'wanted pip: apt-get install python3-venv && python3 -m venv --system-site-packages .venv',
    );
  }
}

const ownPython = join(root, '.venv', 'bin', 'python');
const python = existsSync(ownPython) ? ownPython : 'python3';

/** tfjs-node and its dependencies, without the scripts that would download. */
function installPackages() {
  say(`npm install @tensorflow/tfjs-node@${VERSION}, without its scripts`);
  writeFileSync(join(home, 'package.json'), JSON.stringify({ private: true, dependencies: DEPENDENCIES }));
  // Hoisted, whatever the user's .npmrc specifies, since shareTfjs looks in one folder only.
  const flags = ['--ignore-scripts', '--install-strategy=hoisted', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']; // biome-ignore format: one line
  download('npm', ['install', '--prefix', home, ...flags]);
}

/**
 * Removes its copies of the project's tfjs packages, so that the project's are found, one folder
 * further up. Two copies would each know only some of the classes of layers and handlers of models.
 */
function shareTfjs() {
  const ours = join(root, 'node_modules', '@tensorflow');
  const shared = readdirSync(join(modules, '@tensorflow')).filter((name) => existsSync(join(ours, name)));
  for (const name of shared) {
    const [theirs, wanted] = [join(modules, '@tensorflow', name), join(ours, name)].map(versionOf);
    if (theirs !== wanted)
      throw new Error(`@tensorflow/${name}: wanted the project's ${wanted}, got ${theirs}`);
    rmSync(join(modules, '@tensorflow', name), { recursive: true });
  }
  say(`shares the project's ${shared.join(', ')}`);
}

const UNZIP = `
import sys, zipfile
wheel, folder = sys.argv[1:]
wanted = ('tensorflow/libtensorflow_', 'tensorflow/include/tensorflow/', 'tensorflow/include/tsl/')
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(folder, [name for name in archive.namelist() if name.startswith(wanted)])
`;

/** The C library and its headers, out of the wheel into deps/. */
function unpackTensorFlow() {
  say(`${WHEEL.requirement} from PyPI, 207 MB`);
  const wheels = join(home, 'wheel');
  const requirements = join(home, 'requirements.txt');
  writeFileSync(requirements, `${WHEEL.requirement} --hash=sha256:${WHEEL.sha256}\n`);
  const choice = ['--no-deps', '--only-binary=:all:', ...WHEEL.platform, '--require-hashes'];
  const flags = ['--quiet', '--disable-pip-version-check', '--dest', wheels, '--requirement', requirements];
  download(python, ['-m', 'pip', 'download', ...choice, ...flags]);
  const [wheel] = readdirSync(wheels);
  say('unpacks the C library and its headers, 670 MB');
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(deps, { recursive: true });
  run(python, ['-c', UNZIP, join(wheels, wheel), deps]);
  symlinkSync('tensorflow', join(deps, 'lib'));
  symlinkSync('tensorflow/include', join(deps, 'include'));
  // The names that binding.gyp links and scripts/install.js looks for.
  for (const [name, library] of [
    ['libtensorflow', 'libtensorflow_cc.so.2'],
    ['libtensorflow_framework', 'libtensorflow_framework.so.2'],
  ]) {
    symlinkSync(library, join(deps, 'lib', `${name}.so`));
    symlinkSync(library, join(deps, 'lib', `${name}.so.2.9.1`));
  }
  rmSync(wheels, { recursive: true });
}

/** Compiles as its binding.gyp specifies, in one command. */
function compile() {
  say('compiles tfjs_binding.node');
  mkdirSync(dirname(binding), { recursive: true });
  const headers = [join(modules, 'node-api-headers', 'include'), join(deps, 'include')];
  run(
    'g++',
    [
      ...['-std=c++17', '-O2', '-shared', '-fPIC', `-DNAPI_VERSION=${NAPI}`],
      ...headers.map((folder) => `-I${folder}`),
      ...['binding/tfjs_backend.cc', 'binding/tfjs_binding.cc'],
      ...[`-L${join(deps, 'lib')}`, '-ltensorflow', '-ltensorflow_framework'],
      ...['-Wl,-rpath,$ORIGIN/../../deps/lib', '-o', binding],
    ],
    tfjsNode,
  );
}

/** Computes one product, in its own process, with the project's tfjs-core. */
function tryIt() {
  const program = `
    require('node:util').isNullOrUndefined = (x) => x == null; // gone from Node 23
    const tf = require('@tensorflow/tfjs-core');
    require(${JSON.stringify(tfjsNode)});
    if (tf.getBackend() !== 'tensorflow') throw new Error('wanted tensorflow, got ' + tf.getBackend());
    const [product] = tf.matMul([[1, 2]], [[3], [4]]).dataSync();
    if (product !== 11) throw new Error('1 * 3 + 2 * 4: wanted 11, got ' + product);
  `;
  execFileSync(process.execPath, ['-e', program], {
    cwd: root,
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

if (isBuilt()) {
  say('is built already, in .tfjs-node');
} else if (existsSync(cache)) {
  rmSync(home, { recursive: true, force: true });
  copy(cache, home);
  rmSync(stamp);
  if (!existsSync(binding)) throw new Error(`${cache} is damaged: delete it`);
  tryIt();
  writeFileSync(stamp, built);
  say(`is built already, in ${cache}`);
} else {
  checkMachine();
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home);
  installPackages();
  shareTfjs();
  unpackTensorFlow();
  compile();
  tryIt();
  writeFileSync(stamp, built);
  copy(home, cache);
  say('is built, in .tfjs-node');
}
