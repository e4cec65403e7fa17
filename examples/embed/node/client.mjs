// Prints where hello listens, each time that this changes, without a line of berth: the directory
// is watched and the file read. It is replaced by renaming, so what is read is whole.
import { mkdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';

const directory = process.env.HELLO_CONFIG_DIR || '.hello';
const file = join(directory, 'server.json');

function read() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (failed) {
    if (failed.code === 'ENOENT') return null;
    throw failed;
  }
}

function url(server) {
  const wildcard = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  const host = wildcard[server.host] ?? server.host;
  return `${server.scheme ?? 'http'}://${host.includes(':') ? `[${host}]` : host}:${server.port}`;
}

let last;
function look() {
  const server = read();
  const now = server ? url(server) : 'none';
  if (now !== last) console.log(now);
  last = now;
}

mkdirSync(directory, { recursive: true, mode: 0o700 });
watch(directory, look); // first, so that nothing is missed between
look();
