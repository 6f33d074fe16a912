# node: objects, strings and JSON on its own heap, and buffers, which come from malloc.
. "$(dirname "$0")/lib.sh"
need node
program()
{
    cat <<'END'
const zlib = require('zlib'), crypto = require('crypto');
let total = 0;
for (let round = 0; round < Number(process.argv[2]); round++) {
    const rows = [];
    for (let i = 0; i < 20000; i++)
        rows.push({ id: i, name: 'name ' + (i * 7919) % 10007, tags: ['a' + i % 7, 'b' + i % 11] });
    const text = JSON.stringify(rows), back = JSON.parse(text);
    total += back.length + text.length;
    const parts = [];
    for (let i = 0; i < 3000; i++)
        parts.push(Buffer.alloc(100 + (i * 37) % 9000, i & 255));
    const packed = zlib.deflateSync(Buffer.concat(parts), { level: 1 });
    total += crypto.createHash('sha1').update(zlib.inflateSync(packed)).digest()[0];
}
console.log(total);
END
}
prepare()
{
    once rows.js program
}
run()
{
    on node rows.js "$(often 4)"
}
main "$@"
