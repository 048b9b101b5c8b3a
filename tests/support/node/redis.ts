import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { warnMissing } from './missing';

/** The program of Redis or Valkey; undefined, with a loud warning, where none is installed. */
export const redisServer = ['redis-server', 'valkey-server'].find((program) => spawnSync(program, ['--version']).status === 0);
if (redisServer === undefined) warnMissing('Redis', 'apt-get install redis-server');

/** A server of its own on loopback, with a password, that keeps nothing. */
export interface Redis {
  readonly url: string;
  /** Kills it, and starts it again, empty. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRedis(): Promise<Redis> {
  const directory = await mkdtemp(join(tmpdir(), 'redis-'));
  const port = await freePort();
  const flags = `--port ${port} --bind 127.0.0.1 --save --appendonly no --requirepass secret --dir`.split(' ');
  flags.splice(flags.indexOf('--save') + 1, 0, '');
  let server: ChildProcess;
  const start = async () => {
    server = spawn(redisServer as string, [...flags, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise<void>((resolve) => {
      server.stdout?.on('data', (text) => {
        if (String(text).includes('eady to accept connections')) resolve();
      });
    });
  };
  const kill = async () => {
    server.kill('SIGKILL');
    await once(server, 'exit');
  };
  await start();
  return {
    url: `redis://:secret@127.0.0.1:${port}`,
    async restart() {
      await kill();
      await start();
    },
    async stop() {
      await kill();
      await rm(directory, { recursive: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
