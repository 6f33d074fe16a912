// All sites as a table, each with its whole stack; and the same for leaks alone.

import { type Column, Table } from "../components/table.tsx";
import { count, of, share, size } from "../lib/format.ts";
import type { Report } from "./data.ts";
import { Place, Stack } from "./stack.tsx";
import "./sites.css";

export function text(report: Report, site: number): string {
    return report.stack(site).map((f) => `${f.name} ${f.file} ${f.module}`).join(" ").toLowerCase();
}

// In the detail of a site, but no columns of their own: a table has room for seven.
const HIDDEN = new Set(["blocks", "temporary", "waste", "untouched", "reachable"]);
const MINOR = new Set(["copied", "temporaries", "allocations"]);

function columns(report: Report, keys: string[]): Column<number>[] {
    const wide: Column<number> = {
        key: "site",
        title: "Where",
        wide: true,
        value: (s) => report.own(s)?.name ?? "",
        show: (s) => <Place frame={report.own(s)} />,
    };
    const known = keys.map((k) => report.measure(k)).filter((m) => m >= 0 && report.data.measures[m].total !== 0);
    return [wide, ...known.map((m): Column<number> => {
        const { key, label, help, unit } = report.data.measures[m];
        return {
            key,
            title: label,
            help,
            bar: true,
            minor: MINOR.has(key),
            value: (s) => report.value(s, m),
            show: (s) => {
                const v = report.value(s, m);
                return v === 0 ? <span class="zero">–</span> : unit === "bytes" ? size(v) : count(v);
            },
        };
    })];
}

function requests(smallest: number, largest: number): string {
    return smallest === largest ? `Every block of ${of(largest, "byte")}` : `Blocks of ${count(smallest)} to ${of(largest, "byte")}`;
}

function facts(report: Report, site: number): string[] {
    const { smallest, largest } = report.data.sites;
    const list = largest[site] > 0 ? [requests(smallest[site], largest[site])] : [];
    report.data.measures.forEach((m, i) => {
        const v = report.value(site, i);
        if (v !== 0 && HIDDEN.has(m.key)) list.push(`${m.label.toLowerCase()} ${m.unit === "bytes" ? size(v) : count(v)}`);
    });
    return list;
}

function Detail({ report, site }: { report: Report; site: number }) {
    const list = facts(report, site);
    return (
        <>
            {list.length > 0 && <p class="site-facts">{list.join(" · ")}</p>}
            <Stack frames={report.stack(site)} />
        </>
    );
}

function SitesTable({ report, rows, keys, sort, noun }: {
    report: Report; rows: number[]; keys: string[]; sort: string; noun: string;
}) {
    return (
        <Table<number> rows={rows} columns={columns(report, keys)} sort={sort} noun={noun} id={(s) => s}
            text={(s) => text(report, s)} describe={`Table of ${noun}s`}
            detail={(s) => <Detail report={report} site={s} />} />
    );
}

export function SitesSection({ report }: { report: Report }) {
    const rows = [...Array(report.sitesCount).keys()];
    const keys = report.data.measures.map((m) => m.key).filter((k) => !HIDDEN.has(k));
    const sort = ["peak", "live", "allocated"].find((k) => (report.data.measures[report.measure(k)]?.total ?? 0) !== 0);
    return (
        <>
            <SitesTable report={report} rows={rows} keys={keys} sort={sort ?? "allocated"} noun="site" />
            {report.data.sites_left_out > 0 && (
                <p class="site-facts">
                    The {of(report.data.sites_left_out, "smallest site")} of the recording {report.data.sites_left_out === 1 ? "is" : "are"} not
                    in this page; totals include them. <code>loam report --export json</code> has all.
                </p>
            )}
        </>
    );
}

export function LeaksSection({ report }: { report: Report }) {
    const m = report.measure("leaked");
    const rows = [...Array(report.sitesCount).keys()].filter((s) => report.value(s, m) > 0);
    const l = report.data.totals.leaked!;
    return (
        <>
            <p class="leak-kinds">
                <b>{size(l.direct.bytes)}</b> nothing points to ({of(l.direct.blocks, "block")})
                {l.indirect.blocks > 0 && <> · <b>{size(l.indirect.bytes)}</b> only leaked blocks point to ({of(l.indirect.blocks, "block")})</>}
                {l.cycle.blocks > 0 && <> · <b>{size(l.cycle.bytes)}</b> in or behind cycles ({of(l.cycle.blocks, "block")})</>}
            </p>
            <SitesTable report={report} rows={rows} sort="leaked" noun="leaking site"
                keys={["leaked", "allocations", "peak"]} />
        </>
    );
}

export function leaksSay(report: Report): string {
    const m = report.measure("leaked");
    let top = 0;
    let places = 0;
    for (let s = 0; s < report.sitesCount; s++) {
        top = Math.max(top, report.value(s, m));
        places += report.value(s, m) > 0 ? 1 : 0;
    }
    const total = report.data.measures[m].total;
    return places === 1 ? "all from one site" : `from ${of(places, "site")}, the largest ${share(top, total)} of it`;
}
