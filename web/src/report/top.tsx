// What a reader needs in ten seconds: four numbers, then where to look first.

import type { ComponentChildren } from "preact";
import { Bars } from "../components/bars.tsx";
import { count, of, share, size, time } from "../lib/format.ts";
import type { Report } from "./data.ts";
import { Place } from "./stack.tsx";
import "./top.css";

export function Tile({ title, value, says, tone, href }: {
    title: string; value: string; says: ComponentChildren; tone?: "bad" | "good"; href?: string;
}) {
    const inner = (
        <>
            <div class="tile-title">{title}</div>
            <div class={"tile-value" + (tone ? " tile-" + tone : "")}>{value}</div>
            <div class="tile-says">{says}</div>
        </>
    );
    return href ? <a class="tile" href={href}>{inner}</a> : <div class="tile">{inner}</div>;
}

function LeakTile({ report }: { report: Report }) {
    const { leaked, live, no_scan } = report.data.totals;
    if (!leaked)
        return <Tile title="Live at the end" value={size(live.bytes)}
            says={<>in {of(live.blocks, "block")}{no_scan ? "" : "; run with --leaks to know what leaked"}</>} />;
    if (leaked.bytes === 0) return <Tile title="Leaked" value="nothing" tone="good" says="every block was freed or is still pointed to" />;
    const blocks = leaked.direct.blocks + leaked.indirect.blocks + leaked.cycle.blocks;
    return <Tile title="Leaked" value={size(leaked.bytes)} tone="bad" href="#leaks" says={`in ${of(blocks, "block")}`} />;
}

export function Tiles({ report }: { report: Report }) {
    const t = report.data.totals;
    return (
        <div class="tiles">
            <LeakTile report={report} />
            {t.peak && (
                <Tile title="Peak" value={size(t.peak.bytes)} href="#flame"
                    says={<>{time(t.peak.ns)} after the start{report.data.processes.length > 1 && `, process ${t.peak.pid}`}</>} />
            )}
            <Tile title="Allocated" value={size(t.alloc_bytes)} says={<>by {of(t.allocs, "call")}</>} href="#sites" />
            {t.temporaries > 0 && (
                <Tile title="Temporary" value={share(t.temporaries, t.allocs)} href="#lifetimes"
                    says={<>{count(t.temporaries)} blocks freed by the next call</>} />
            )}
        </div>
    );
}

interface Best {
    title: string;
    key: string;
    link: string;
}

const BEST: Best[] = [
    { title: "What leaked", key: "leaked", link: "#leaks" },
    { title: "What holds the peak", key: "peak", link: "#flame" },
    { title: "What is live at the end", key: "live", link: "#flame" },
    { title: "What allocates most often", key: "allocations", link: "#sites" },
];

function Largest({ report, best }: { report: Report; best: Best }) {
    const m = report.measure(best.key);
    const { total, unit } = report.data.measures[m];
    const bySite = new Map<string, { site: number; value: number }>();
    for (let s = 0; s < report.sitesCount; s++) {
        const own = report.own(s);
        const key = own ? own.fn + ":" + own.line : "";
        const value = report.value(s, m);
        const at = bySite.get(key);
        if (at) at.value += value;
        else bySite.set(key, { site: s, value });
    }
    const most = [...bySite.values()].sort((a, b) => b.value - a.value).slice(0, 4).filter((x) => x.value > 0);
    return (
        <div class="best">
            <h2><a href={best.link}>{best.title}</a></h2>
            <Bars max={total} words={(n) => (unit === "bytes" ? size(n) : count(n))}
                bars={most.map((x) => ({
                    label: <Place frame={report.own(x.site)} />,
                    value: x.value,
                    note: share(x.value, total),
                    colour: best.key === "leaked" ? 2 : 1,
                }))} />
        </div>
    );
}

export function Top({ report }: { report: Report }) {
    const known = BEST.filter((b) => (report.data.measures[report.measure(b.key)]?.total ?? 0) > 0);
    return (
        <div class="top">
            <Tiles report={report} />
            <div class="bests">
                {known.slice(0, 2).map((b) => <Largest report={report} best={b} />)}
            </div>
        </div>
    );
}
