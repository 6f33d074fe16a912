// Rows of ranges over one axis, one row a layer, to zoom into: what a range is called in one layer
// stands above what it is in the next. The axis is cut into segments; each takes room by its
// weight, so what weighs nothing takes none.
//
// The wheel zooms at the pointer, dragging moves, a click zooms to a box. Keys: + and - zoom, arrows
// move, Escape shows all again.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { colour, useTheme } from "../lib/theme.ts";
import { useWidth } from "../lib/width.ts";
import "./layers.css";

export interface Span {
    start: number;
    end: number;
    label: string;
    /** Name of a CSS variable. */
    key: string;
}

export interface Layer {
    name: string;
    /** In order, without overlaps. */
    spans: Span[];
    height?: number;
}

/** A piece of the axis, in order. */
export interface Segment {
    start: number;
    end: number;
    weight: number;
}

export interface LayersSpec {
    layers: Layer[];
    segments: Segment[];
    about: (at: number) => ComponentChildren;
    keys: { label: string; key: string; note?: string }[];
    tools?: ComponentChildren;
    describe: string;
}

const LEFT = 74;
const ROW = 30;
const GAP = 3;

// From an address to its place on the axis, 0 to 1, and back.
class Axis {
    private before: number[] = [];
    private whole = 0;
    constructor(private segments: Segment[]) {
        for (const s of segments) {
            this.before.push(this.whole);
            this.whole += s.weight;
        }
        this.whole ||= 1;
    }
    private find(test: (i: number) => boolean): number {
        let low = 0;
        let high = this.segments.length;
        while (low < high) {
            const mid = (low + high) >> 1;
            if (test(mid)) high = mid;
            else low = mid + 1;
        }
        return low;
    }
    place(at: number): number {
        const i = this.find((k) => this.segments[k].end > at);
        if (i === this.segments.length) return 1;
        const s = this.segments[i];
        const part = at <= s.start ? 0 : (at - s.start) / (s.end - s.start);
        return (this.before[i] + part * s.weight) / this.whole;
    }
    at(place: number): number {
        const want = place * this.whole;
        const i = this.find((k) => this.before[k] + this.segments[k].weight > want);
        const s = this.segments[Math.min(i, this.segments.length - 1)];
        if (!s) return 0;
        const part = s.weight > 0 ? (want - this.before[Math.min(i, this.segments.length - 1)]) / s.weight : 0;
        return s.start + Math.max(0, Math.min(1, part)) * (s.end - s.start);
    }
}

interface View {
    from: number;
    to: number;
}

function clamp(v: View): View {
    const width = Math.max(1e-7, Math.min(1, v.to - v.from));
    const from = Math.max(0, Math.min(1 - width, v.from));
    return { from, to: from + width };
}

function zoomed(v: View, by: number, at: number): View {
    const width = (v.to - v.from) * by;
    const from = at - ((at - v.from) / (v.to - v.from)) * width;
    return clamp({ from, to: from + width });
}

// The spans of a layer that the view shows. A binary search, because a layer may have 100,000.
function visible(spans: Span[], start: number, end: number): Span[] {
    let low = 0;
    let high = spans.length;
    while (low < high) {
        const mid = (low + high) >> 1;
        if (spans[mid].end > start) high = mid;
        else low = mid + 1;
    }
    let stop = low;
    while (stop < spans.length && spans[stop].start < end) stop++;
    return spans.slice(low, stop);
}

function drawLayer(g: CanvasRenderingContext2D, layer: Layer, axis: Axis, view: View, top: number, width: number,
    ink: { text: string; ground: string; soft: string; paint: (key: string) => string }): void {
    const height = layer.height ?? ROW;
    const room = width - LEFT;
    const x = (at: number) => LEFT + ((axis.place(at) - view.from) / (view.to - view.from)) * room;
    g.fillStyle = ink.soft;
    g.textAlign = "right";
    g.fillText(layer.name, LEFT - 10, top + height / 2);
    g.textAlign = "left";
    let reached = LEFT;
    for (const s of visible(layer.spans, axis.at(view.from), axis.at(view.to) + 1)) {
        const left = Math.max(LEFT, x(s.start));
        const right = Math.min(width, x(s.end));
        if (right - left < 0.05 || right <= reached) continue;
        g.fillStyle = ink.paint(s.key);
        g.fillRect(left, top, Math.max(0.7, right - left - (right - left > 4 ? 1 : 0)), height);
        reached = right - 0.2;
        if (right - left < 34 || s.label === "") continue;
        g.save();
        g.beginPath();
        g.rect(left + 4, top, right - left - 8, height);
        g.clip();
        g.fillStyle = ink.ground;
        g.fillText(s.label, left + 5, top + height / 2);
        g.restore();
    }
}

export function Layers({ layers, segments, about, keys, tools, describe }: LayersSpec) {
    const box = useRef<HTMLDivElement>(null);
    const canvas = useRef<HTMLCanvasElement>(null);
    const width = useWidth(box);
    const theme = useTheme();
    const axis = useMemo(() => new Axis(segments), [segments]);
    const [view, setView] = useState<View>({ from: 0, to: 1 });
    const [at, setAt] = useState<number | null>(null);
    const drag = useRef<{ x: number; view: View; moved: boolean } | null>(null);
    const height = layers.reduce((sum, l) => sum + (l.height ?? ROW) + GAP, 0);

    useEffect(() => setView({ from: 0, to: 1 }), [axis]);
    useEffect(() => {
        const c = canvas.current;
        const g = c?.getContext("2d");
        if (!c || !g || width === 0) return;
        const ratio = devicePixelRatio || 1;
        c.width = Math.round(width * ratio);
        c.height = Math.round(height * ratio);
        c.style.height = height + "px";
        g.setTransform(ratio, 0, 0, ratio, 0, 0);
        g.clearRect(0, 0, width, height);
        g.font = "12px " + colour("--sans");
        g.textBaseline = "middle";
        const known = new Map<string, string>();
        const paint = (key: string) => {
            if (!known.has(key)) known.set(key, colour(key));
            return known.get(key)!;
        };
        let top = 0;
        for (const layer of layers) {
            drawLayer(g, layer, axis, view, top, width,
                { text: colour("--text"), ground: colour("--card"), soft: colour("--soft"), paint });
            top += (layer.height ?? ROW) + GAP;
        }
    }, [layers, axis, view, width, theme, height]);

    const placeOf = (clientX: number): number => {
        const r = canvas.current!.getBoundingClientRect();
        const part = (clientX - r.left - LEFT) / Math.max(1, r.width - LEFT);
        return view.from + Math.max(0, Math.min(1, part)) * (view.to - view.from);
    };
    const layerOf = (clientY: number): Layer | undefined => {
        let y = clientY - canvas.current!.getBoundingClientRect().top;
        return layers.find((l) => (y -= (l.height ?? ROW) + GAP) < 0);
    };
    // A passive listener could not keep the page from scrolling.
    useEffect(() => {
        const c = canvas.current;
        if (!c) return;
        const wheel = (e: WheelEvent) => {
            e.preventDefault();
            const place = placeOf(e.clientX);
            setView((v) => zoomed(v, e.deltaY > 0 ? 1.25 : 0.8, place));
        };
        c.addEventListener("wheel", wheel, { passive: false });
        return () => c.removeEventListener("wheel", wheel);
    });

    const move = (e: PointerEvent) => {
        setAt(axis.at(placeOf(e.clientX)));
        const d = drag.current;
        if (!d) return;
        const r = canvas.current!.getBoundingClientRect();
        const by = ((d.x - e.clientX) / Math.max(1, r.width - LEFT)) * (d.view.to - d.view.from);
        d.moved ||= Math.abs(d.x - e.clientX) > 4;
        if (d.moved) setView(clamp({ from: d.view.from + by, to: d.view.to + by }));
    };
    const up = (e: PointerEvent) => {
        const d = drag.current;
        drag.current = null;
        if (!d || d.moved) return;
        const where = axis.at(placeOf(e.clientX));
        const s = layerOf(e.clientY)?.spans.find((x) => x.start <= where && where < x.end);
        if (s) setView(clamp({ from: axis.place(s.start), to: axis.place(s.end) }));
    };
    const key = (e: KeyboardEvent) => {
        const middle = (view.from + view.to) / 2;
        const step = (view.to - view.from) / 8;
        if (e.key === "+" || e.key === "=") setView(zoomed(view, 0.7, middle));
        else if (e.key === "-") setView(zoomed(view, 1.4, middle));
        else if (e.key === "ArrowLeft") setView(clamp({ from: view.from - step, to: view.to - step }));
        else if (e.key === "ArrowRight") setView(clamp({ from: view.from + step, to: view.to + step }));
        else if (e.key === "Escape") setView({ from: 0, to: 1 });
        else return;
        e.preventDefault();
    };
    const whole = view.from === 0 && view.to === 1;
    return (
        <div class="layers" ref={box}>
            <div class="layers-tools">
                {tools}
                <button onClick={() => setView({ from: 0, to: 1 })} disabled={whole}>show all</button>
                <span>wheel or + and − zoom, drag or arrows move, click a box to zoom to it</span>
            </div>
            <div class="layers-about" aria-live="polite">{about(at ?? axis.at(view.from))}</div>
            <canvas ref={canvas} tabIndex={0} role="img" aria-label={describe} onKeyDown={key}
                onPointerDown={(e) => {
                    drag.current = { x: e.clientX, view, moved: false };
                    (e.target as HTMLElement).setPointerCapture(e.pointerId);
                }}
                onPointerMove={move} onPointerUp={up} />
            <div class="layers-keys">
                {keys.map((k) => (
                    <span class="layers-key">
                        <i style={`background:var(${k.key})`} />
                        {k.label} {k.note && <span>{k.note}</span>}
                    </span>
                ))}
            </div>
        </div>
    );
}
