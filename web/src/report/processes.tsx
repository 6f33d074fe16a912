// The tree of processes, and what a reader must know to trust the report.

import { type Column, Table } from "../components/table.tsx";
import { count, size, time } from "../lib/format.ts";
import type { Note, Owner, Process, Report, Thread } from "./data.ts";
import "./processes.css";

interface Row {
    process: Process;
    depth: number;
    order: number;
}

function inTreeOrder(processes: Process[]): Row[] {
    const children = new Map<number, number[]>();
    processes.forEach((p, i) => children.set(p.parent, [...(children.get(p.parent) ?? []), i]));
    const rows: Row[] = [];
    const open = (children.get(-1) ?? []).map((i) => ({ i, depth: 0 })).reverse();
    for (let at = open.pop(); at; at = open.pop()) {
        rows.push({ process: processes[at.i], depth: at.depth, order: -rows.length });
        const below = (children.get(at.i) ?? []).map((i) => ({ i, depth: at!.depth + 1 }));
        open.push(...below.reverse());
    }
    return rows;
}

export function ProcessesSection({ report }: { report: Report }) {
    const all = report.data.processes;
    const columns: Column<Row>[] = [
        {
            key: "process", title: "Process", wide: true, value: (r) => r.order,
            show: (r) => (
                <span class="process" style={`--depth:${Math.min(r.depth, 12)}`}>
                    <code>{r.process.command || r.process.exe}</code>{" "}
                    <span class="stack-where">
                        {r.process.pid} · {r.process.execed ? "became the next by exec" : r.process.ended ?? "no orderly end"}
                    </span>
                </span>
            ),
        },
        { key: "peak", title: "Peak", bar: true, value: (r) => r.process.peak_bytes, show: (r) => size(r.process.peak_bytes) },
        { key: "at", title: "After", minor: true, value: (r) => r.process.peak_ns, show: (r) => time(r.process.peak_ns) },
        { key: "live", title: "Live at the end", bar: true, value: (r) => r.process.live.bytes, show: (r) => size(r.process.live.bytes) },
        { key: "allocs", title: "Allocations", bar: true, minor: true, value: (r) => r.process.allocs, show: (r) => count(r.process.allocs) },
    ];
    if (report.data.totals.leaked)
        columns.push({
            key: "leaked", title: "Leaked", bar: true, value: (r) => r.process.leaked ?? -1,
            show: (r) => (r.process.leaked === null ? "not scanned" : size(r.process.leaked)),
        });
    return (
        <>
            <Table<Row> rows={inTreeOrder(all)} columns={columns} sort="process" noun="process" id={(r) => -r.order}
                describe="Processes" />
            {report.data.processes_count > all.length && (
                <p class="site-facts">{count(report.data.processes_count - all.length)} later ones are not in this page.</p>
            )}
        </>
    );
}

export function ThreadsSection({ report }: { report: Report }) {
    const many = report.data.processes_count > 1;
    const columns: Column<Thread>[] = [
        {
            key: "thread", title: "Thread", wide: true, value: (t) => t.tid,
            show: (t) => (
                <>
                    <code>{t.name || "thread"}</code>{" "}
                    <span class="stack-where">
                        {t.tid || "all the others"}{many && ` of process ${report.data.processes[t.process]?.pid ?? "?"}`}
                        {t.ended && " · ended"}
                    </span>
                </>
            ),
        },
        { key: "bytes", title: "Allocated", bar: true, value: (t) => t.alloc_bytes, show: (t) => size(t.alloc_bytes) },
        { key: "allocs", title: "Allocations", bar: true, value: (t) => t.allocs, show: (t) => count(t.allocs) },
        { key: "frees", title: "Frees", minor: true, value: (t) => t.frees, show: (t) => count(t.frees) },
        { key: "temporaries", title: "Temporaries", minor: true, value: (t) => t.temporaries, show: (t) => count(t.temporaries) },
        { key: "start", title: "Started", minor: true, value: (t) => t.started_ns, show: (t) => time(t.started_ns) },
    ];
    return (
        <Table<Thread> rows={report.data.threads} columns={columns} sort="bytes" noun="thread"
            id={(t) => t.process + "/" + t.tid} describe="Threads" />
    );
}

export function OwnersSection({ report }: { report: Report }) {
    const columns: Column<Owner>[] = [
        {
            key: "owner", title: "Owner", wide: true, value: (o) => o.name,
            show: (o) => (
                <>
                    <code>{o.name || o.kind}</code>{" "}
                    <span class="stack-where">
                        {[o.name && o.kind, o.place].filter(Boolean).join(" · ")}
                        {o.grows && <b class="owner-grows"> never emptied</b>}
                    </span>
                </>
            ),
        },
        { key: "held", title: "Holds", bar: true, value: (o) => o.held_bytes, show: (o) => size(o.held_bytes) },
        { key: "used", title: "Used", value: (o) => o.used_bytes, show: (o) => size(o.used_bytes) },
        { key: "most", title: "At most", minor: true, value: (o) => o.used_max_bytes, show: (o) => size(o.used_max_bytes) },
        { key: "live", title: "There now", minor: true, value: (o) => o.live, show: (o) => `${count(o.live)} of ${count(o.count)}` },
        { key: "resets", title: "Emptied", minor: true, value: (o) => o.resets, show: (o) => count(o.resets) },
    ];
    return (
        <Table<Owner> rows={report.data.owners} columns={columns} sort="held" noun="owner"
            id={(o) => [o.kind, o.name, o.place].join("/")} describe="Owners of memory" />
    );
}

export function NotesSection({ notes }: { notes: Note[] }) {
    return <ul class="notes">{notes.map((n) => <li>{n.text}</li>)}</ul>;
}
