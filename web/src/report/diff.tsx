// The page of a diff: what grew and what shrank, between two recordings or two labels.

import { Bars } from "../components/bars.tsx";
import { showPage } from "../components/page.tsx";
import { type Column, Table } from "../components/table.tsx";
import { count, of, size, time } from "../lib/format.ts";
import { type Report, signed } from "./data.ts";
import { FlameSection } from "./flame.tsx";
import { text } from "./sites.tsx";
import { Place, Stack } from "./stack.tsx";
import { Tile } from "./top.tsx";
import "./top.css";

function wordsOf(report: Report, measure: number): (n: number) => string {
    return report.data.measures[measure].unit === "bytes" ? size : count;
}

function known(report: Report): number[] {
    return report.data.measures.map((_, i) => i).filter((i) => report.data.sides![i].known);
}

function Tiles({ report }: { report: Report }) {
    const by = report.measure(report.data.diff!.by);
    const order = [by, ...known(report).filter((i) => i !== by)].slice(0, 4);
    return (
        <div class="tiles">
            {order.map((i) => {
                const { before, after } = report.data.sides![i];
                const words = wordsOf(report, i);
                return <Tile title={report.data.measures[i].label} value={after === before ? "the same" : signed(after - before, words)}
                    tone={after > before ? "bad" : after < before ? "good" : undefined}
                    says={`${words(before)} → ${words(after)}`} />;
            })}
        </div>
    );
}

function Most({ report, sign }: { report: Report; sign: 1 | -1 }) {
    const by = report.measure(report.data.diff!.by);
    const words = wordsOf(report, by);
    const rows = [...Array(report.sitesCount).keys()].map((s) => ({ s, v: sign * report.value(s, by) }))
        .filter((r) => r.v > 0).sort((a, b) => b.v - a.v).slice(0, 5);
    return (
        <div class="best">
            <h2>{sign > 0 ? "What grew most" : "What shrank most"}</h2>
            {rows.length === 0 ? <div class="tile-says">nothing</div> : (
                <Bars words={(n) => signed(sign * n, words)} bars={rows.map((r) => ({
                    label: <Place frame={report.own(r.s)} />, value: r.v, colour: sign > 0 ? 2 : 1,
                }))} />
            )}
        </div>
    );
}

function Verdict({ report }: { report: Report }) {
    const { fail_over, failed, by } = report.data.diff!;
    if (fail_over === null) return null;
    const limit = wordsOf(report, report.measure(by))(fail_over);
    return (
        <p class={"diff-verdict " + (failed ? "tile-bad" : "tile-good")}>
            <b>{failed ? "Failed" : "Passed"}</b>: {failed ? "a place, or all together, grew" : "nothing grew"} by more than {limit}.
        </p>
    );
}

function Detail({ report, site }: { report: Report; site: number }) {
    const facts = known(report).filter((i) => report.value(site, i) !== 0).map((i) => {
        const words = wordsOf(report, i);
        const before = report.data.sites.before[i][site] ?? 0;
        return `${report.data.measures[i].label.toLowerCase()} ${words(before)} → ${words(before + report.value(site, i))}`;
    });
    return (
        <>
            <p class="site-facts">{facts.join(" · ")}</p>
            <Stack frames={report.stack(site)} />
        </>
    );
}

function SitesSection({ report }: { report: Report }) {
    const columns: Column<number>[] = [
        { key: "site", title: "Where", wide: true, value: (s) => report.own(s)?.name ?? "", show: (s) => <Place frame={report.own(s)} /> },
        ...known(report).slice(0, 6).map((i): Column<number> => ({
            key: report.data.measures[i].key,
            title: report.data.measures[i].label,
            help: report.data.measures[i].help,
            bar: true,
            minor: i > 2,
            value: (s) => report.value(s, i),
            show: (s) => {
                const v = report.value(s, i);
                return v === 0 ? <span class="zero">–</span>
                    : <span class={v > 0 ? "tile-bad" : "tile-good"}>{signed(v, wordsOf(report, i))}</span>;
            },
        })),
    ];
    return (
        <Table<number> rows={[...Array(report.sitesCount).keys()]} columns={columns} sort={report.data.diff!.by} noun="site"
            id={(s) => s} text={(s) => text(report, s)} describe="What changed, by site"
            detail={(s) => <Detail report={report} site={s} />} />
    );
}

export function showDiff(report: Report): void {
    const { diff, command, loam } = report.data;
    const { from, to, labels, from_ns, to_ns, by } = diff!;
    showPage({
        kind: "what changed",
        title: labels ? command : `${from} → ${to}`,
        sub: labels ? `${from} (${time(from_ns)}) → ${to} (${time(to_ns)})` : command,
        top: (
            <div class="top">
                <Verdict report={report} />
                <Tiles report={report} />
                <div class="bests"><Most report={report} sign={1} /><Most report={report} sign={-1} /></div>
            </div>
        ),
        sections: [
            {
                id: "flame", title: "Flame graph", says: "width is how much it changed; click or press Enter to zoom",
                body: <FlameSection report={report} first={by} />,
            },
            {
                id: "sites", title: "Sites", says: `${of(report.sitesCount, "distinct stack")}; open one for its stack and both sides`,
                body: <SitesSection report={report} />,
            },
        ],
        end: `Written by loam ${loam}. Sizes are decimal: 1 kB is 1,000 bytes. This file needs no network.`,
    });
}
