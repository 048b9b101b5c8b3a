import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { Flag } from '../../../kit/flags.mjs';

/** Models, and results of abandoned runs, are dropped if no one has asked for them for this long. */
export const KEPT_SECONDS = 7 * 24 * 3600;

/** Half of what a string of Redis can hold. */
export const MAX_MODEL_BYTES = 256 * 2 ** 20;

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

export const redisFlag = () =>
  new Flag('--redis <url>', 'of Redis or Valkey; rediss:// for TLS')
    .env('REDIS_URL')
    .default('redis://127.0.0.1');

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/**
 * Connects to Redis or Valkey. Afterwards, a lost connection is reported once and awaited.
 *
 * @param {string} text a URL: redis://, or rediss:// for TLS
 * @param {(line: string) => void} say
 * @returns {Promise<Redis>}
 * @throws Error if the URL is invalid or of a server open to others, or if the server does not answer
 */
export async function connect(text, say) {
  const url = checkUrl(text);
  let isConnected = false;
  const redis = new Redis(url.href, {
    lazyConnect: true,
    maxRetriesPerRequest: null, // as BullMQ wants it: a command waits as long as the connection is lost
    retryStrategy: (times) => (isConnected ? Math.min(500 * times, 10_000) : null),
  });
  let told;
  redis.on('error', ({ message }) => {
    if (isConnected && message !== told) say(`Redis: ${message}; waiting for it`);
    told = message;
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    redis.disconnect();
    const problem = told ?? error.message;
    const advice = problem.includes('ECONNREFUSED') ? '; is Redis or Valkey running there?' : '';
    throw new Error(`--redis: ${url.host}: ${problem}${advice}`, { cause: error });
  }
  isConnected = true;
  redis.on('ready', () => {
    told = undefined;
  });
  return redis;
}

/** Messages never show a URL: there may be a password in it. */
function checkUrl(text) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!['redis:', 'rediss:'].includes(url?.protocol) || url.hostname === '') {
    throw new Error('--redis: wanted a URL, redis://[user:password@]host:port, or rediss:// for TLS');
  }
  if (url.password === '' && !LOOPBACK.includes(url.hostname)) {
    throw new Error(
      `--redis: wanted a password in the URL of ${url.host}: whoever reaches an open server can use your workers and change what they draw`,
    );
  }
  return url;
}

const modelKey = (digest) => `pixelcnn-layers:model:${digest}`;
const resultKey = (jobId) => `pixelcnn-layers:result:${jobId}`;

/** Keeps the model in Redis, even after a restart that has emptied it. */
export async function offerModel(redis, digest, bytes) {
  const isThere = await redis.expire(modelKey(digest), KEPT_SECONDS);
  if (!isThere) await redis.set(modelKey(digest), bytes, 'EX', KEPT_SECONDS);
}

/** @throws Error if it is missing, or does not match its digest */
export async function fetchModel(redis, digest) {
  const bytes = await redis.getBuffer(modelKey(digest));
  if (bytes === null) throw new Error(`model ${digest} is not in Redis`);
  const got = sha256(bytes);
  if (got !== digest) throw new Error(`model ${digest} is damaged in Redis: its digest is ${got}`);
  return bytes;
}

export const putResult = (redis, jobId, bytes) => redis.set(resultKey(jobId), bytes, 'EX', KEPT_SECONDS);
/** The result of a job, null if it is gone. */
export const getResult = (redis, jobId) => redis.getBuffer(resultKey(jobId));
export const dropResult = (redis, jobId) => redis.del(resultKey(jobId));
