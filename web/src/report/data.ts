// What loam writes into a report's page, and the same made easy to ask. The C side is
// src/report/html.c; both follow docs/report-page.md.

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
    /** Milliseconds after the start. */
    ms: number[];
    live: number[];
    rss?: (number | null)[];
    /** Allocations since the moment before. */
    allocs?: number[];
    labels: { ms: number; text: string }[];
    /** The largest sites at each moment: site numbers, and a row of bytes for each. */
    sites?: { site: number; bytes: number[] }[];
}

export interface RssPart {
    key: string;
    label: string;
    help: string;
    bytes: number;
}

export interface SizeClass {
    size: number;
    allocs: number;
    live: Amount;
    waste: number;
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
        temporary?: number;
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
        /** The biggest single request. */
        largest: number[];
        /** Rows of a histogram of lifetimes, as in `lifetimes`, where they are known. */
        lifetimes?: (number[] | null)[];
        /** Bytes lost to rounding up, and the size that would lose less, where known. */
        waste?: number[];
    };
    sites_left_out: number;
    lifetimes?: { edges_ns: number[]; blocks: number[] };
    classes?: SizeClass[];
    timeline?: Timeline;
    rss?: { total: number; measured: number; parts: RssPart[] };
    processes: Process[];
    /** In all; the list has the first ones. */
    processes_count: number;
    notes: Note[];
    diff?: { from: string; to: string; threshold: number | null };
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

export function loadReport(): Report {
    return new Report(pageData<ReportData>());
}
