#!/bin/sh
# node: objects, maps, JSON, typed arrays, zlib and crypto in the thread pool, a worker, a child.
. "$(dirname "$0")/guest.sh"
need node

cat >"$tmp/guest.js" <<'JS'
const zlib = require('zlib'), crypto = require('crypto');
const { Worker } = require('worker_threads');
const { execFileSync } = require('child_process');
const fs = require('fs');
const rows = [];
for (let i = 0; i < 100000; i++) rows.push({ id: i, name: 'n' + (i * 7919 % 1000), tags: [i % 3, i % 5] });
const json = JSON.stringify(rows);
const back = JSON.parse(json);
const by = new Map();
for (const r of back) by.set(r.name, (by.get(r.name) || 0) + r.id);
console.log(json.length, by.size, [...by.values()].reduce((a, b) => a + b, 0));
console.log(back.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : a.id - b.id)[5].id);
const hash = (b) => crypto.createHash('sha256').update(b).digest('hex');
console.log(hash(json));
const big = Buffer.alloc(20 << 20, 'loam');
for (let i = 0; i < 20; i++) Buffer.from(big.subarray(i << 10, (i << 10) + 100000)).toString('base64');
console.log('a,b;c'.repeat(50000).split(/[,;]/).length, json.replace(/n(\d+)/g, '<$1>').length);
(async () => {
  const packed = await Promise.all([1, 5, 9].map((level) => new Promise((ok, no) =>
    zlib.gzip(json, { level }, (e, z) => e ? no(e) : ok(z)))));
  for (const z of packed) console.log(hash(zlib.gunzipSync(z)) === hash(json));
  const keys = await Promise.all([1, 2, 3, 4].map((i) => new Promise((ok, no) =>
    crypto.scrypt('secret', 'salt' + i, 32, (e, k) => e ? no(e) : ok(k.toString('hex'))))));
  console.log(keys.join(' '));
  const answer = await new Promise((ok) => new Worker(
    `const { parentPort } = require('worker_threads');
     let s = 0; const a = []; for (let i = 0; i < 200000; i++) { a.push({ i }); s += a[i].i; }
     parentPort.postMessage(s);`, { eval: true }).on('message', ok));
  console.log(answer);
  console.log(execFileSync('/bin/echo', ['from', 'a', 'child']).toString().trim());
  fs.writeFileSync('file.txt', json);
  console.log(fs.readFileSync('file.txt', 'utf8') === json);
})();
JS
same "a script" node "$tmp/guest.js"
same "a script that fails" sh -c 'node -e "process.exitCode = 7; console.log([1, 2])"; echo $?'
done_testing
