// Makes dist/NAME.html from src/pages/NAME.tsx: one file a page, with its script and its style in
// it, and a mark where loam writes the data.
//
//     node build.mjs [FOLDER]     FOLDER instead of dist/, for the test that compares
//
// The first line of a page carries a hash of all sources. tests/cli/web.t compares it without
// needing node, so that nobody commits sources whose page was not built.

import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "dist");

function filesBelow(folder) {
    return readdirSync(folder, { withFileTypes: true }).flatMap((e) =>
        e.isDirectory() ? filesBelow(join(folder, e.name)) : [join(folder, e.name)]);
}

// As `sha256sum` prints it for the files in the order of their names: see tests/cli/web.t.
function hashOfSources() {
    const files = ["build.mjs", "package-lock.json", "tsconfig.json",
        ...filesBelow(join(here, "src")).map((f) => relative(here, f))].sort();
    const lines = files.map((f) =>
        createHash("sha256").update(readFileSync(join(here, f))).digest("hex") + "  " + f + "\n");
    return createHash("sha256").update(lines.join("")).digest("hex");
}

// What the licences of the libraries in the page ask for: their text.
function licences() {
    return ["preact", "uplot"].map((name) => {
        const folder = join(here, "node_modules", name);
        const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
        return `${name} ${version}\n\n${readFileSync(join(folder, "LICENSE"), "utf8").trim()}`;
    }).join("\n\n");
}

async function bundle(page) {
    const result = await build({
        entryPoints: [join(here, "src/pages", page + ".tsx")],
        outfile: page + ".js",
        bundle: true,
        minify: true,
        write: false,
        target: ["chrome100", "firefox100", "safari15"],
        charset: "utf8",
        legalComments: "none",
        jsx: "automatic",
        jsxImportSource: "preact",
        absWorkingDir: here,
    });
    const text = (end) => result.outputFiles.find((f) => f.path.endsWith(end))?.text ?? "";
    // A closing tag inside of the script would end it.
    return { js: text(".js").replaceAll("</script", "<\\/script"), css: text(".css") };
}

const icon = "data:image/svg+xml," + encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" ' +
    'viewBox="0 0 16 16"><path fill="#7a5a3a" d="M1 9h14v5H1z"/><path fill="#4d8a4a" ' +
    'd="M8 9C8 5 5 4 2 4c0 3 2 5 6 5Zm0 0c0-5 3-7 6-7 0 4-2 7-6 7Z"/></svg>');

function html({ js, css }, hash) {
    return `<!doctype html><!-- sources ${hash} -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<title>loam</title>
<link rel="icon" href="${icon}">
<style>${css.trim()}</style>
</head>
<body>
<div id="page"><noscript>This page draws itself: it needs JavaScript, but no network.</noscript></div>
<script id="data" type="application/json">/*data*/</script>
<script>${js.trim()}</script>
</body>
</html>
<!-- In this page stand:

${licences()}
-->
`;
}

mkdirSync(out, { recursive: true });
const hash = hashOfSources();
for (const file of readdirSync(join(here, "src/pages")).filter((f) => f.endsWith(".tsx")).sort()) {
    const page = file.replace(/\.tsx$/, "");
    const text = html(await bundle(page), hash);
    writeFileSync(join(out, page + ".html"), text);
    console.log(`${page}.html  ${(text.length / 1000).toFixed(0)} kB`);
}
