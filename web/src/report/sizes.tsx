// Sizes: which blocks the program asks for, what they take, and which size would take less.

import { Bars } from "../components/bars.tsx";
import { type Column, Table } from "../components/table.tsx";
import { count, of, share, size } from "../lib/format.ts";
import type { Report } from "./data.ts";
import { Place } from "./stack.tsx";

/** The largest size that takes less than a block of this capacity (docs/walk-malloc.md: classes). */
function below(capacity: number): number {
    if (capacity <= 128) return capacity - 16;
    return capacity - 2 ** Math.floor(Math.log2(capacity - 1)) / 8;
}

interface Row {
    site: number;
    asked: number;
    capacity: number;
    blocks: number;
    lost: number;
}

// Sites whose blocks all have one size: the others have no single answer.
function oneSize(report: Report): Row[] {
    const { smallest, largest, capacity } = report.data.sites;
    const m = report.measure("allocations");
    const rows: Row[] = [];
    for (let site = 0; site < report.sitesCount; site++) {
        const blocks = report.value(site, m);
        if (blocks === 0 || largest[site] !== smallest[site] || largest[site] === 0) continue;
        const each = Math.round(capacity[site] / blocks);
        rows.push({ site, asked: largest[site], capacity: each, blocks, lost: Math.max(0, blocks * (each - largest[site])) });
    }
    return rows;
}

function advice(r: Row): string {
    if (r.capacity <= r.asked) return "fits exactly";
    const smaller = below(r.capacity);
    return smaller > 0 && r.asked - smaller <= r.asked / 4
        ? `${of(r.asked - smaller, "byte")} less would take ${count(smaller)}`
        : `${of(r.capacity - r.asked, "byte")} more cost nothing`;
}

function byCapacity(rows: Row[]): { capacity: number; blocks: number; lost: number }[] {
    const sums = new Map<number, { capacity: number; blocks: number; lost: number }>();
    for (const r of rows) {
        const s = sums.get(r.capacity) ?? { capacity: r.capacity, blocks: 0, lost: 0 };
        s.blocks += r.blocks;
        s.lost += r.lost;
        sums.set(r.capacity, s);
    }
    return [...sums.values()];
}

export function sizesSay(report: Report): string {
    const { capacity, alloc_bytes, live_capacity, live } = report.data.totals;
    const lost = Math.max(0, capacity - alloc_bytes);
    const now = Math.max(0, live_capacity - live.bytes);
    return `rounding up cost ${share(lost, capacity)} of all that was allocated` + (now > 0 ? `; ${size(now)} of what is live` : "");
}

export function SizesSection({ report }: { report: Report }) {
    const rows = oneSize(report);
    const classes = byCapacity(rows).sort((a, b) => b.blocks - a.blocks).slice(0, 12).sort((a, b) => a.capacity - b.capacity);
    const columns: Column<Row>[] = [
        { key: "site", title: "Where", wide: true, value: (r) => report.own(r.site)?.name ?? "", show: (r) => <Place frame={report.own(r.site)} /> },
        { key: "asked", title: "Asked", help: "bytes of each block", value: (r) => r.asked, show: (r) => count(r.asked) },
        { key: "capacity", title: "Takes", help: "bytes that each block takes", value: (r) => r.capacity, show: (r) => count(r.capacity) },
        { key: "blocks", title: "Blocks", minor: true, bar: true, value: (r) => r.blocks, show: (r) => count(r.blocks) },
        { key: "lost", title: "Lost over the run", bar: true, value: (r) => r.lost, show: (r) => size(r.lost) },
        { key: "advice", title: "Would help", minor: true, value: advice, show: (r) => <span class="stack-where">{advice(r)}</span> },
    ];
    return (
        <>
            {classes.length > 1 && (
                <Bars words={count} bars={classes.map((c) => ({
                    label: `${count(c.capacity)} bytes`, value: c.blocks, colour: 5,
                    note: c.lost > 0 ? `${size(c.lost)} lost` : "",
                }))} />
            )}
            <h3>Sites whose blocks all have one size</h3>
            <Table<Row> rows={rows} columns={columns} sort="lost" noun="site" id={(r) => r.site}
                describe="Sites by what rounding up cost" step={8} />
        </>
    );
}
