// What resident memory was for: the parts of RSS at its highest and when last seen, over time, and
// the sites whose few blocks keep half-empty slabs.

import { useMemo } from "preact/hooks";
import { Bars } from "../components/bars.tsx";
import { Plot, type Series } from "../components/plot.tsx";
import { type Column, Table } from "../components/table.tsx";
import { count, of, share, size, time } from "../lib/format.ts";
import type { Account, Pinner, Ram, Report } from "./data.ts";
import { Place, Stack } from "./stack.tsx";

// Live blocks as in the timeline; what could be less in warm colours, the rest in calm ones.
const COLOURS = [1, 5, 2, 4, 6, 3, 8];

export function ramSay(report: Report): string {
    const { highest, pid } = report.data.ram!;
    const where = report.data.processes.length > 1 ? `, process ${pid}` : "";
    return `${size(highest!.rss)} at the most that was seen, ${time(highest!.ns)} after the start${where}; every byte counts once`;
}

function Parts({ ram, account, title, max }: { ram: Ram; account: Account; title: string; max: number }) {
    return (
        <>
            <h3>{title}: {size(account.rss)}, {time(account.ns)} after the start</h3>
            <Bars max={max} bars={ram.names.map((name, i) => ({
                label: name, value: account.parts[i], colour: COLOURS[i], note: share(account.parts[i], account.rss),
            })).filter((b) => b.value > 0)} />
        </>
    );
}

/** Each part upon those before it. */
function stacked(ram: Ram): Series[] {
    const below = ram.line.ns.map(() => 0);
    return ram.names.map((label, p) => {
        const low = [...below];
        ram.line.parts[p].forEach((v, i) => (below[i] += v));
        return { label, y: [...below], told: ram.line.parts[p], low, high: [...below], colour: COLOURS[p] };
    });
}

function Line({ ram }: { ram: Ram }) {
    const series = useMemo(() => stacked(ram), []);
    return (
        <Plot x={ram.line.ns} series={series} height={220} xAxis={{ words: time, min: 0 }}
            yAxis={{ words: size, min: 0, size: 66 }} describe="Resident memory over time, by what it was for." />
    );
}

function Pinners({ report, account }: { report: Report; account: Account }) {
    const columns: Column<Pinner>[] = [
        { key: "site", title: "Where", wide: true, value: (p) => report.own(p.site!)?.name ?? "", show: (p) => <Place frame={report.own(p.site!)} /> },
        { key: "pinned", title: "Keeps free", help: "its share of the free bytes in slabs that are less than half live", bar: true, value: (p) => p.pinned, show: (p) => size(p.pinned) },
        { key: "freed", title: "Alone", help: "what would be free if its blocks went", minor: true, value: (p) => p.freed, show: (p) => size(p.freed) },
        { key: "blocks", title: "By blocks", value: (p) => p.blocks, show: (p) => count(p.blocks) },
        { key: "slabs", title: "In slabs", value: (p) => p.slabs, show: (p) => count(p.slabs) },
    ];
    const rows = account.pinners.filter((p) => p.site !== null);
    if (rows.length === 0) return null;
    return (
        <>
            <h3>Fragmentation: {size(account.slabs_rss - account.slabs_live)} free
                in {of(account.slabs, "slab")} less than half live, {time(account.ns)} after the start</h3>
            <Table<Pinner> rows={rows} columns={columns} sort="pinned" noun="site" id={(p) => p.site!}
                describe="Sites whose blocks keep half-empty slabs" step={8}
                detail={(p) => <Stack frames={report.stack(p.site!)} />} />
        </>
    );
}

/** Where more is lost: at the highest RSS, or at the end. */
function worse(ram: Ram): Account {
    const spare = (a: Account | null) => (a ? a.slabs_rss - a.slabs_live : -1);
    return spare(ram.last) > spare(ram.highest) ? ram.last! : ram.highest!;
}

export function RamSection({ report }: { report: Report }) {
    const ram = report.data.ram!;
    const { highest, last } = ram;
    return (
        <>
            {ram.line.ns.length > 1 && <Line ram={ram} />}
            <Parts ram={ram} account={highest!} title="At its highest" max={highest!.rss} />
            {last && last.ns !== highest!.ns && <Parts ram={ram} account={last} title="When last seen" max={highest!.rss} />}
            <Pinners report={report} account={worse(ram)} />
        </>
    );
}
