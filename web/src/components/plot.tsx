// A plot of numbers against numbers: lines, points, bands; linear or logarithmic. uPlot draws it;
// this file gives it our colours, words and manners.

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { brief } from "../lib/format.ts";
import { colour, useTheme } from "../lib/theme.ts";
import { useWidth } from "../lib/width.ts";
import "./plot.css";

export type Words = (n: number) => string;

export interface Axis {
    label?: string;
    log?: boolean;
    words?: Words;
    min?: number;
    max?: number;
    /** Pixels for its words; by default as wide as they are. */
    size?: number;
}

export interface Series {
    label: string;
    /** One for each x; null where there is none. */
    y: (number | null)[];
    /** What is told of a point instead of y: of a stacked area its own part. */
    told?: (number | null)[];
    /** The band around it: confidence interval, minimum to maximum. */
    low?: (number | null)[];
    high?: (number | null)[];
    kind?: "line" | "points" | "both" | "steps" | "area";
    /** 1 to 8: a colour of the theme; by default its place in the list. */
    colour?: number;
}

export interface VLine {
    x: number;
    label: string;
}

export interface PlotSpec {
    x: number[];
    series: Series[];
    xAxis?: Axis;
    yAxis?: Axis;
    height?: number;
    /** Marked moments: a dashed line with a word. */
    lines?: VLine[];
    /** Called with the index of the x under the pointer, or null. */
    onPoint?: (index: number | null) => void;
    /** For people who cannot see it. */
    describe: string;
}

const key = (s: Series, i: number) => `--series-${s.colour ?? (i % 8) + 1}`;

function axis(a: Axis | undefined, side: number): uPlot.Axis {
    const words = a?.words ?? brief;
    return {
        side,
        scale: side === 2 ? "x" : "y",
        stroke: colour("--soft"),
        font: "12px " + colour("--sans"),
        labelFont: "12px " + colour("--sans"),
        label: a?.label,
        labelSize: a?.label ? 22 : 0,
        size: a?.size ?? (side === 2 ? 32 : (_u, values) =>
            16 + 7 * Math.max(3, ...(values ?? []).map((v) => (v ?? "").length))),
        space: side === 2 ? 80 : 36,
        grid: { stroke: colour("--line"), width: 1 },
        ticks: { show: false },
        // A logarithmic axis has more lines than there is room for words: uPlot leaves holes.
        values: (_u, splits) => splits.map((v) => (v === null || v === undefined ? "" : words(v))),
    };
}

function scale(a: Axis | undefined, time: false): uPlot.Scale {
    const fixed = a?.min !== undefined || a?.max !== undefined;
    return {
        time,
        distr: a?.log ? 3 : 1,
        ...(fixed && {
            range: (_u: uPlot, low: number, high: number) => [a!.min ?? low, a!.max ?? high],
        }),
    } as uPlot.Scale;
}

function paths(s: Series): Partial<uPlot.Series> {
    const kind = s.kind ?? "line";
    if (kind === "points")
        return { paths: () => null, points: { show: true, size: 6, fill: undefined } };
    if (kind === "steps" || kind === "area")
        return { paths: uPlot.paths.stepped!({ align: 1 }), points: { show: false } };
    return { points: { show: kind === "both", size: 5 } };
}

// uPlot's columns: x, then each series, then the two edges of each band.
function columns(p: PlotSpec): { data: uPlot.AlignedData; series: uPlot.Series[]; bands: uPlot.Band[] } {
    const data: (number | null)[][] = [p.x, ...p.series.map((s) => s.y)];
    const series: uPlot.Series[] = [{}];
    const bands: uPlot.Band[] = [];
    p.series.forEach((s, i) => {
        const c = colour(key(s, i));
        const fill = s.kind === "area" ? c + "2b" : undefined;
        series.push({ label: s.label, stroke: c, width: 1.75, fill, ...paths(s) });
    });
    p.series.forEach((s, i) => {
        if (!s.low || !s.high) return;
        const edge = { stroke: "transparent", width: 0, points: { show: false } };
        series.push(edge, edge);
        data.push(s.high, s.low);
        bands.push({ series: [series.length - 2, series.length - 1], fill: colour(key(s, i)) + "2b" });
    });
    return { data: data as uPlot.AlignedData, series, bands };
}

function drawLines(u: uPlot, lines: VLine[]): void {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${12 * ratio}px ${colour("--sans")}`;
    ctx.fillStyle = ctx.strokeStyle = colour("--soft");
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    ctx.lineWidth = ratio;
    for (const l of lines) {
        const x = Math.round(u.valToPos(l.x, "x", true));
        if (x < bbox.left - 1 || x > bbox.left + bbox.width + 1) continue;
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
        const left = x > bbox.left + bbox.width * 0.8;
        ctx.textAlign = left ? "right" : "left";
        ctx.fillText(l.label, x + (left ? -5 : 5) * ratio, bbox.top + 12 * ratio);
    }
    ctx.restore();
}

function placeTip(u: uPlot, p: PlotSpec, tip: HTMLElement): void {
    const i = u.cursor.idx;
    p.onPoint?.(i ?? null);
    if (i === null || i === undefined || (u.cursor.left ?? -1) < 0) {
        tip.hidden = true;
        return;
    }
    const xWords = p.xAxis?.words ?? brief;
    const yWords = p.yAxis?.words ?? brief;
    const rows = p.series.filter((s) => s.y[i] !== null && s.y[i] !== undefined)
        .map((s) => `${s.label} ${yWords((s.told ?? s.y)[i]!)}`);
    tip.textContent = [xWords(p.x[i]), ...rows].join(" · ");
    tip.hidden = false;
    const left = u.valToPos(p.x[i], "x") + u.over.offsetLeft;
    tip.style.left = Math.max(0, Math.min(left + 10, u.width - tip.offsetWidth)) + "px";
    tip.style.top = "0";
}

export function Plot(p: PlotSpec) {
    const box = useRef<HTMLDivElement>(null);
    const tip = useRef<HTMLDivElement>(null);
    const width = useWidth(box);
    const theme = useTheme();
    const plot = useRef<uPlot | null>(null);
    useLayoutEffect(() => {
        if (!box.current || width < 50) return;
        const { data, series, bands } = columns(p);
        plot.current = new uPlot({
            width,
            height: p.height ?? 240,
            legend: { show: false },
            cursor: { y: false, drag: { x: true, y: false } },
            scales: { x: scale(p.xAxis, false), y: scale(p.yAxis, false) },
            axes: [axis(p.xAxis, 2), axis(p.yAxis, 3)],
            series,
            bands,
            hooks: {
                draw: [(u) => drawLines(u, p.lines ?? [])],
                setCursor: [(u) => tip.current && placeTip(u, p, tip.current)],
            },
        }, data, box.current);
        return () => plot.current?.destroy();
    }, [width, theme, p.x, p.series, p.lines]);
    useEffect(() => void (tip.current!.hidden = true), []);
    return (
        <figure style="margin:0" role="group" aria-label={p.describe}>
            {p.series.length > 1 && (
                <div class="plot-legend" aria-hidden="true">
                    {p.series.map((s, i) => <span style={`--key:var(${key(s, i)})`}>{s.label}</span>)}
                </div>
            )}
            <div class="plot" ref={box} role="img" aria-label={p.describe}>
                <div class="plot-tip" ref={tip} />
            </div>
        </figure>
    );
}
