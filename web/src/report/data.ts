// What loam writes into a report's page, and the same made easy to ask. The C side is
// src/report/html.c and its parts.

import { pageData } from "../lib/data.ts";

export interface Amount {
    bytes: number;
    blocks: number;
}

export interface Measure {
    key: string;
    label: string;
    /** What a person reads about it: "live bytes when the most memory was in use". */
    help: string;
    unit: "bytes" | "count";
    /** Over all sites, also those that are too small to stand in the page. */
    total: number;
}

export interface Process {
    pid: number;
    ppid: number;
    /** Index in the list of the process that started it, or -1. */
    parent: number;
    command: string;
    exe: string;
    /** "exit status 0", or null while it runs or when it was killed. */
    ended: string | null;
    execed: boolean;
    allocs: number;
    alloc_bytes: number;
    frees: number;
    live: Amount;
    peak_bytes: number;
    peak_ns: number;
    leaked: number | null;
}

export interface Note {
    code: string;
    text: string;
}

export interface Timeline {
    /** Nanoseconds after the start. */
    ns: number[];
    live: number[];
    rss: (number | null)[];
    /** Allocations so far. */
    allocs: number[];
    /** The largest sites, and what each held at every moment (0: not among the largest then). */
    sites: { site: number; bytes: number[] }[];
}

/** A site whose few blocks keep slabs in RAM that are mostly free. */
export interface Pinner {
    /** null: not in the page, or not known. */
    site: number | null;
    pinned: number;
    freed: number;
    blocks: number;
    slabs: number;
}

/** What the RSS of a process was for; `parts` as in Ram.names. */
export interface Account {
    ns: number;
    rss: number;
    parts: number[];
    /** Slabs less than half live: how many, their bytes in RAM, and of those live. */
    slabs: number;
    slabs_rss: number;
    slabs_live: number;
    pinners: Pinner[];
}

export interface Ram {
    names: string[];
    /** The process with the highest RSS. */
    pid: number;
    command: string;
    highest: Account | null;
    last: Account | null;
    /** Sums over all processes. */
    line: { ns: number[]; parts: number[][] };
}

export interface Label {
    name: string;
    ns: number;
    live: Amount;
}

/** Regions, pools and the like of one kind, name and place: docs/report-json.md. */
export interface Owner {
    kind: string;
    name: string;
    place: string;
    count: number;
    live: number;
    held_bytes: number;
    used_bytes: number;
    used_max_bytes: number;
    resets: number;
    grows: boolean;
}

export interface Thread {
    /** Index in the list of processes. */
    process: number;
    /** 0: the rest of a process with very many threads. */
    tid: number;
    name: string;
    ended: boolean;
    started_ns: number;
    allocs: number;
    alloc_bytes: number;
    frees: number;
    temporaries: number;
}

export interface Diff {
    from: string;
    to: string;
    /** The measure that was asked for. */
    by: string;
    /** Between two labels of one recording. */
    labels: boolean;
    from_ns: number;
    to_ns: number;
    fail_over: number | null;
    failed: boolean | null;
}

export interface ReportData {
    loam: string;
    command: string;
    /** Milliseconds since 1970. */
    started_ms: number;
    duration_ns: number;
    status: string | null;
    totals: {
        allocs: number;
        alloc_bytes: number;
        frees: number;
        live: Amount;
        leaked: { bytes: number; direct: Amount; indirect: Amount; cycle: Amount } | null;
        reachable: Amount | null;
        no_scan: string | null;
        peak: { bytes: number; pid: number; ns: number } | null;
        temporaries: number;
        copied_bytes: number;
        /** What all allocated blocks could have held, and the live ones. */
        capacity: number;
        live_capacity: number;
        /** Processes whose numbers are estimates from samples. */
        sampled: number;
    };
    measures: Measure[];
    functions: string[];
    files: string[];
    modules: string[];
    /** function, file (-1: none), line, module (-1: none), FRAME_ flags: five numbers a frame. */
    frames: number[];
    /** The trie of stacks, outermost frame first: parents (-1: none), frames. */
    nodes: { parent: number[]; frame: number[] };
    sites: {
        node: number[];
        /** Numbers of the frame to show: the innermost of the program's own. */
        own: number[];
        /** A row for each measure. */
        values: number[][];
        /** The last so many are no sites: sums of small ones, where their stacks leave the tree. */
        rests: number;
        /** The biggest and the smallest single request, and what all blocks could have held. */
        largest: number[];
        smallest: number[];
        capacity: number[];
        /** Freed blocks by lifetime, as in `lifetimes`; of the most important sites alone. */
        lives: number[][];
        /** In a diff: what the values, which are changes, began at. */
        before: number[][];
    };
    sites_left_out: number;
    lifetimes?: { from_ns: number[]; blocks: number[] };
    timeline?: Timeline;
    ram?: Ram;
    labels: Label[];
    peak_ns: number | null;
    processes: Process[];
    /** In all; the list has the first ones. */
    processes_count: number;
    threads: Thread[];
    owners: Owner[];
    notes: Note[];
    /** In a diff there are `diff`, `sides`, measures, frames, nodes and sites alone. */
    diff?: Diff;
    sides?: { known: boolean; before: number; after: number }[];
}

export const FRAME_OWN = 1;
export const FRAME_INLINED = 2;
export const FRAME_NAMELESS = 4;

export interface Frame {
    id: number;
    name: string;
    fn: number;
    file: string;
    line: number;
    module: string;
    own: boolean;
    inlined: boolean;
    nameless: boolean;
}

export class Report {
    readonly data: ReportData;
    readonly frames: Frame[];
    /** Frames of each site, outermost first. */
    private stacks: Frame[][] = [];

    constructor(data: ReportData) {
        this.data = data;
        this.frames = [];
        for (let i = 0; i < data.frames.length; i += 5) {
            const [fn, file, line, module, flags] = data.frames.slice(i, i + 5);
            this.frames.push({
                id: i / 5,
                fn,
                name: data.functions[fn],
                file: file < 0 ? "" : data.files[file],
                line,
                module: module < 0 ? "" : data.modules[module],
                own: (flags & FRAME_OWN) !== 0,
                inlined: (flags & FRAME_INLINED) !== 0,
                nameless: (flags & FRAME_NAMELESS) !== 0,
            });
        }
    }

    get sitesCount(): number {
        return this.data.sites.node.length - this.data.sites.rests;
    }

    /** Sites, and behind them the rests. */
    get rowsCount(): number {
        return this.data.sites.node.length;
    }

    measure(key: string): number {
        return this.data.measures.findIndex((m) => m.key === key);
    }

    /** Outermost first. */
    stack(site: number): Frame[] {
        let stack = this.stacks[site];
        if (!stack) {
            stack = [];
            const { parent, frame } = this.data.nodes;
            for (let n = this.data.sites.node[site]; n >= 0; n = parent[n]) stack.push(this.frames[frame[n]]);
            this.stacks[site] = stack.reverse();
        }
        return stack;
    }

    own(site: number): Frame | undefined {
        return this.frames[this.data.sites.own[site]];
    }

    value(site: number, measure: number): number {
        return this.data.sites.values[measure]?.[site] ?? 0;
    }
}

/** src/parse.c:88: the last two parts of the path and the line. */
export function where(f: Frame): string {
    if (f.file !== "") {
        const near = f.file.split("/").slice(-2).join("/");
        return f.line > 0 ? `${near}:${f.line}` : near;
    }
    return f.nameless ? "" : f.module.split("/").pop() ?? "";
}

/** A change with its sign. */
export function signed(n: number, words: (n: number) => string): string {
    return (n > 0 ? "+" : "") + words(n);
}

export function loadReport(): Report {
    return new Report(pageData<ReportData>());
}
