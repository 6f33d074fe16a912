// The timeline: bytes live and resident over time, with a slider that shows who held them then.

import { useMemo, useState } from "preact/hooks";
import { Bars } from "../components/bars.tsx";
import { Plot, type Series, type VLine } from "../components/plot.tsx";
import { brief, share, size, time } from "../lib/format.ts";
import type { Report, Timeline } from "./data.ts";
import { Place } from "./stack.tsx";
import "./timeline.css";

// The slider begins where the plot does: timeline.css knows this number.
const AXIS_WIDTH = 66;

function highest(t: Timeline): number {
    return t.live.reduce((best, v, i) => (v > t.live[best] ? i : best), 0);
}

/** The slider is as even as time is; moments are not. */
function nearest(ns: number[], at: number): number {
    let best = 0;
    for (let i = 1; i < ns.length; i++) if (Math.abs(ns[i] - at) < Math.abs(ns[best] - at)) best = i;
    return best;
}

function rate(t: Timeline, i: number): number {
    if (i === 0) return 0;
    const seconds = (t.ns[i] - t.ns[i - 1]) / 1e9;
    return seconds > 0 ? (t.allocs[i] - t.allocs[i - 1]) / seconds : 0;
}

function Holders({ report, t, i }: { report: Report; t: Timeline; i: number }) {
    const held = t.sites.map((s) => ({ site: s.site, bytes: s.bytes[i] })).filter((s) => s.bytes > 0)
        .sort((a, b) => b.bytes - a.bytes).slice(0, 8);
    if (held.length === 0) return null;
    return (
        <Bars max={t.live[i]} bars={held.map((s) => ({
            label: <Place frame={report.own(s.site)} />,
            value: s.bytes,
            note: share(s.bytes, t.live[i]),
        }))} />
    );
}

export function TimelineSection({ report }: { report: Report }) {
    const t = report.data.timeline!;
    const [at, setAt] = useState(highest(t));
    const lines = useMemo(() => {
        const list: VLine[] = report.data.labels.map((l) => ({ x: l.ns, label: l.name }));
        if (report.data.peak_ns !== null && report.data.totals.peak)
            list.push({ x: report.data.peak_ns, label: "peak " + size(report.data.totals.peak.bytes) });
        return list;
    }, []);
    const series = useMemo(() => {
        const list: Series[] = [{ label: "live", y: t.live, kind: "area", colour: 1 }];
        if (t.rss.some((r) => r !== null)) list.push({ label: "resident (RSS)", y: t.rss, colour: 2 });
        return list;
    }, []);
    const last = t.ns.length - 1;
    const marked = useMemo(() => [...lines, { x: t.ns[at], label: "" }], [at]);
    return (
        <>
            <Plot x={t.ns} series={series} lines={marked} height={260}
                xAxis={{ words: time, min: 0 }} yAxis={{ words: size, min: 0, size: AXIS_WIDTH }}
                describe={`Memory over ${time(t.ns[last])}: highest ${size(t.live[highest(t)])} live after ${time(t.ns[highest(t)])}.`} />
            <label class="timeline-slider screen-only">
                <span class="visually-hidden">Moment</span>
                <input type="range" min={0} max={t.ns[last]} step={Math.max(1, t.ns[last] / last)} value={t.ns[at]}
                    aria-valuetext={`${time(t.ns[at])} after the start: ${size(t.live[at])} live`}
                    onInput={(e) => setAt(nearest(t.ns, Number(e.currentTarget.value)))} />
            </label>
            <p class="timeline-moment" aria-live="polite">
                <b>{time(t.ns[at])}</b> after the start: <b>{size(t.live[at])}</b> live
                {t.rss[at] !== null && <>, {size(t.rss[at]!)} resident</>}
                {at > 0 && <>, {brief(Math.round(rate(t, at)))} allocations a second</>}
            </p>
            <Holders report={report} t={t} i={at} />
        </>
    );
}
