// How long blocks lived that were freed, and which sites make the short-lived ones.

import { Bars } from "../components/bars.tsx";
import { type Column, Table } from "../components/table.tsx";
import { count, share, time } from "../lib/format.ts";
import type { Report } from "./data.ts";
import { Place } from "./stack.tsx";

function bucketName(from: number[], i: number): string {
    if (i === 0) return "under " + time(from[1]);
    return i + 1 < from.length ? `${time(from[i])} to ${time(from[i + 1])}` : `over ${time(from[i])}`;
}

export function lifetimesSay(report: Report): string {
    const { from_ns, blocks } = report.data.lifetimes!;
    const all = blocks.reduce((a, b) => a + b, 0);
    const live = report.data.totals.live.blocks;
    return `${share(blocks[0], all)} of ${count(all)} freed blocks lived under ${time(from_ns[1])}; ${count(live)} lived to the end`;
}

/** From time buckets, the middle one in which half of the freed blocks had died. */
function half(lives: number[], from: number[]): number {
    const all = lives.reduce((a, b) => a + b, 0);
    let sum = 0;
    for (let i = 0; i < lives.length; i++) {
        sum += lives[i];
        if (2 * sum >= all) return from[i];
    }
    return 0;
}

interface Row {
    site: number;
    temporaries: number;
    half: number;
    frees: number;
}

function rows(report: Report): Row[] {
    const m = report.measure("temporaries");
    const from = report.data.lifetimes!.from_ns;
    return report.data.sites.lives.slice(0, report.sitesCount)
        .map((lives, site) => ({
            site, temporaries: report.value(site, m), half: half(lives, from),
            frees: lives.reduce((a, b) => a + b, 0),
        }))
        .filter((r) => r.frees > 0);
}

export function LifetimesSection({ report }: { report: Report }) {
    const { from_ns, blocks } = report.data.lifetimes!;
    const first = blocks.findIndex((b) => b > 0);
    let last = blocks.length - 1;
    while (last > first && blocks[last] === 0) last--;
    const all = blocks.reduce((a, b) => a + b, 0);
    const columns: Column<Row>[] = [
        { key: "site", title: "Where", wide: true, value: (r) => report.own(r.site)?.name ?? "", show: (r) => <Place frame={report.own(r.site)} /> },
        { key: "temporaries", title: "Temporary", help: "freed by the thread's next heap call", bar: true, value: (r) => r.temporaries, show: (r) => count(r.temporaries) },
        { key: "frees", title: "Freed", bar: true, value: (r) => r.frees, show: (r) => count(r.frees) },
        { key: "half", title: "Half lived under", minor: true, value: (r) => r.half, show: (r) => time(from_ns[from_ns.indexOf(r.half) + 1] ?? r.half) },
    ];
    return (
        <>
            <Bars words={count} bars={blocks.slice(first, last + 1).map((b, i) => ({
                label: bucketName(from_ns, first + i), value: b, note: share(b, all), colour: 7,
            }))} />
            <h3>Where short-lived blocks come from</h3>
            <Table<Row> rows={rows(report)} columns={columns} sort="temporaries" noun="site" id={(r) => r.site}
                describe="Sites by short-lived blocks" step={8} />
        </>
    );
}
