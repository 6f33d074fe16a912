// The page of an address space: `loam map --html`. Its data is what `loam map --json --pages` says.

import { useMemo, useState } from "preact/hooks";
import { Bars } from "../components/bars.tsx";
import { Layers, type Layer, type Segment, type Span } from "../components/layers.tsx";
import { showPage } from "../components/page.tsx";
import { Table } from "../components/table.tsx";
import { pageData } from "../lib/data.ts";
import { count, of, share, size } from "../lib/format.ts";
import { Tile } from "../report/top.tsx";

type Run = [number, number, string] | [number, number, string, number];

interface Part {
    start: number;
    end: number;
    access: string;
    kind: string;
    label: string;
    path: string | null;
    rss: number;
    sections: { name: string; start: number; end: number }[];
    pages: Run[];
}

interface Data {
    loam: string;
    pid: number;
    name: string;
    command: string;
    os_page: number;
    loam_heap: boolean;
    frames_known: boolean;
    rss: number;
    swap: number;
    size: number;
    page_tables: number;
    states: Record<string, number>;
    account: Record<string, number | null>;
    classes: { size: number | null; blocks: number; live: number; rss: number; live_bytes: number }[];
    owners: { kind: string; label: string; size: number; rss: number; swap: number }[];
    slabs: [number, number, number, number, number][];
    parts: Part[];
}

const data = pageData<Data>();
const parts = data.parts.filter((p) => p.kind !== "reserved");

const KIND: Record<string, string> = {
    heap: "--series-1", tables: "--series-5", recording: "--series-5", brk: "--series-7", arena: "--series-7",
    stack: "--series-4", program: "--series-2", library: "--series-3", file: "--series-8", shared: "--series-6",
    anonymous: "--series-7", kernel: "--faint",
};
const STATES: [string, string, string][] = [
    ["small", "small pages", "--series-1"], ["huge", "huge pages", "--series-4"], ["shared", "shared", "--series-3"],
    ["clean", "of files, clean", "--series-8"], ["dirty", "of files, dirty", "--series-2"],
    ["swapped", "swapped", "--bad"], ["zero", "zero page", "--series-5"], ["guard", "guard", "--faint"],
    ["kernel", "kernel's", "--faint"], ["absent", "absent", "--line"],
];
const stateKey = Object.fromEntries(STATES.map(([id, , key]) => [id, key]));
const stateName = Object.fromEntries(STATES.map(([id, name]) => [id, name]));
const IN_RAM = new Set(["small", "huge", "shared", "clean", "dirty"]);
const hex = (n: number) => n.toString(16).padStart(12, "0");

// Runs of a part with what is absent between them.
function runsOf(p: Part): Run[] {
    const all: Run[] = [];
    let at = p.start;
    for (const r of p.pages) {
        if (r[0] > at) all.push([at, r[0], "absent"]);
        all.push(r);
        at = r[1];
    }
    if (at < p.end) all.push([at, p.end, "absent"]);
    return all;
}

const runs = parts.flatMap(runsOf);

function merged(spans: Span[]): Span[] {
    const all: Span[] = [];
    for (const s of spans) {
        const last = all[all.length - 1];
        if (last && last.end === s.start && last.label === s.label && last.key === s.key) last.end = s.end;
        else all.push({ ...s });
    }
    return all;
}

// What lies in a mapping: an ELF file's sections, or the slabs of loam's heap.
function slabLabel([, , bytes, live, blocks]: Data["slabs"][number]): string {
    return bytes === 0 ? (live ? "one block" : "free") : `${count(bytes)} B · ${count(live)} of ${count(blocks)} live`;
}
const insides: Span[] = [
    ...parts.flatMap((p) => p.sections.map((s, i) => ({ start: Math.max(s.start, p.start), end: Math.min(s.end, p.end), label: s.name, key: i % 2 ? "--series-6" : "--series-3" }))),
    ...data.slabs.map((s) => ({ start: s[0], end: s[1], label: slabLabel(s), key: 2 * s[3] < s[4] ? "--series-2" : "--series-1" })),
].sort((a, b) => a.start - b.start);

const layers: Layer[] = [
    { name: "owner", height: 34, spans: merged(parts.map((p) => ({ start: p.start, end: p.end, label: p.label, key: KIND[p.kind] ?? "--faint" }))) },
    { name: "mapping", spans: parts.map((p) => ({ start: p.start, end: p.end, label: `${p.access} ${p.path ?? ""}`, key: p.access.includes("x") ? "--series-2" : p.access.includes("w") ? "--series-1" : "--series-8" })) },
    { name: "inside", spans: insides },
    { name: "pages", height: 44, spans: merged(runs.filter((r) => r[2] !== "absent").map((r) => ({ start: r[0], end: r[1], label: stateName[r[2]], key: stateKey[r[2]] }))) },
    ...(data.frames_known
        ? [{ name: "frames", spans: runs.filter((r) => r[3] !== undefined).map((r, i) => ({ start: r[0], end: r[1], label: r[3]!.toString(16), key: i % 2 ? "--series-7" : "--series-5" })) }]
        : []),
];

function find<T>(list: T[], start: (x: T) => number, end: (x: T) => number, at: number): T | undefined {
    let low = 0;
    let high = list.length;
    while (low < high) {
        const mid = (low + high) >> 1;
        if (end(list[mid]) > at) high = mid;
        else low = mid + 1;
    }
    const x = list[low];
    return x !== undefined && start(x) <= at ? x : undefined;
}

function About({ at }: { at: number }) {
    const p = find(parts, (x) => x.start, (x) => x.end, at);
    const r = find(runs, (x) => x[0], (x) => x[1], at);
    if (!p || !r) return <b>{hex(at)}</b>;
    const s = find(insides, (x) => x.start, (x) => x.end, at);
    const frame = r[3] === undefined ? "" : ` · frame ${(r[3] + Math.floor((at - r[0]) / data.os_page)).toString(16)}`;
    return (
        <>
            <b>{p.label}</b> {size(p.rss)} in RAM of {size(p.end - p.start)}
            <div>{hex(Math.floor(at))} · {p.access} {p.path ?? "anonymous"}{s ? ` · ${s.label}` : ""}</div>
            <div>{stateName[r[2]]} · {of(Math.round((r[1] - r[0]) / data.os_page), "page")}{frame}</div>
        </>
    );
}

function Picture() {
    const [all, setAll] = useState(false);
    const segments = useMemo<Segment[]>(
        () => runs.map((r) => ({ start: r[0], end: r[1], weight: all || IN_RAM.has(r[2]) || r[2] === "swapped" ? r[1] - r[0] : 0 })),
        [all]);
    const keys = STATES.filter(([id]) => data.states[id] && (all || IN_RAM.has(id) || id === "swapped"))
        .map(([id, label, key]) => ({ label, key, note: size(data.states[id]) }));
    return (
        <Layers layers={layers} segments={segments} keys={keys}
            about={(at) => <About at={at} />}
            tools={<label><input type="checkbox" checked={all} onChange={() => setAll(!all)} /> what is absent, too</label>}
            describe="The address space, from low addresses to high: owner, mapping, section or slab, page state and frame" />
    );
}

const FOR: [string, string][] = [
    ["live", "live blocks"], ["waste", "size-class waste"], ["free", "free but dirty"], ["tables", "metadata"],
    ["stacks", "thread stacks"], ["files", "file pages"], ["other", "other mappings"],
];
const held = data.owners.filter((o) => o.rss + o.swap > 0);

showPage({
    kind: "map",
    title: data.name,
    sub: `process ${data.pid} · ${data.command}`,
    top: (
        <div class="tiles">
            <Tile title="In RAM" value={size(data.rss)} says={`of ${size(data.size)} mapped`} />
            <Tile title="Most of it" value={held[0]?.label ?? "nobody"} says={held[0] ? `${size(held[0].rss)}, ${share(held[0].rss, data.rss)}` : ""} href="#owners" />
            {data.loam_heap && data.account.live !== null && (
                <Tile title="Live blocks" value={size(data.account.live)} says={<>in {of(data.account.live_blocks ?? 0, "block")}</>} href="#account" />
            )}
            <Tile title="In swap" value={size(data.swap)} says={`page tables take ${size(data.page_tables)}`} />
        </div>
    ),
    sections: [
        { id: "map", title: "The address space", says: "five layers over one axis, from low addresses to high; holes are left out", body: <Picture /> },
        {
            id: "owners", title: "Who has it", says: `${of(held.length, "owner")} of ${size(data.rss)} in RAM`,
            body: <Bars bars={held.slice(0, 20).map((o) => ({ label: o.label, value: o.rss, note: share(o.rss, data.rss), title: `${size(o.rss)} of ${size(o.size)} mapped` }))} />,
        },
        data.account.live !== null && {
            id: "account", title: "What it is for", says: "every byte in RAM, once",
            body: <Bars bars={FOR.filter(([id]) => data.account[id] !== null).map(([id, label]) => ({ label, value: data.account[id] ?? 0, note: share(data.account[id] ?? 0, data.rss) }))} />,
        },
        data.classes.length > 0 && {
            id: "classes", title: "Size classes", says: "of loam's heap: what is live of the memory that it holds",
            body: <Table rows={data.classes} id={(c) => c.size ?? 0} noun="class" sort="rss" describe="Size classes"
                columns={[
                    { key: "size", title: "block", value: (c) => c.size ?? 1e12, show: (c) => (c.size === null ? "above 32 KiB" : count(c.size) + " bytes"), wide: true },
                    { key: "rss", title: "in RAM", value: (c) => c.rss, show: (c) => size(c.rss), bar: true },
                    { key: "live", title: "live", value: (c) => c.live_bytes, show: (c) => size(c.live_bytes), bar: true },
                    { key: "share", title: "of it", value: (c) => c.live_bytes / Math.max(1, c.rss), show: (c) => share(c.live_bytes, c.rss) },
                    { key: "blocks", title: "blocks", value: (c) => c.live, show: (c) => count(c.live) },
                ]} />,
        },
        {
            id: "mappings", title: "Mappings", says: of(data.parts.length, "part"),
            body: <Table rows={data.parts} id={(p) => p.start} noun="part" sort="rss" describe="Mappings"
                text={(p) => `${p.label} ${p.path ?? ""} ${hex(p.start)} ${p.kind}`.toLowerCase()}
                columns={[
                    { key: "label", title: "owner", value: (p) => p.label, wide: true },
                    { key: "rss", title: "in RAM", value: (p) => p.rss, show: (p) => size(p.rss), bar: true },
                    { key: "size", title: "mapped", value: (p) => p.end - p.start, show: (p) => size(p.end - p.start) },
                    { key: "access", title: "access", value: (p) => p.access },
                    { key: "start", title: "address", value: (p) => p.start, show: (p) => hex(p.start) },
                ]}
                detail={(p) => <div>{p.path ?? "anonymous"} {p.sections.map((s) => s.name).join(" ")}</div>} />,
        },
    ],
    end: `Written by loam ${data.loam}. Sizes are decimal: 1 kB is 1,000 bytes. This file needs no network.`,
});
