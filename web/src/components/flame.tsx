// A flame graph: boxes as wide as their share, callers above what they call. Boxes are elements,
// not pixels of a canvas: they follow the theme, print sharply, can be searched by the browser
// and read aloud. What would be narrower than a pixel is not made.
//
// Keys: arrows walk, Enter zooms to the box, Backspace or Escape goes out again.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { share } from "../lib/format.ts";
import { useWidth } from "../lib/width.ts";
import "./flame.css";

export interface FlameNode {
    name: string;
    value: number;
    children: FlameNode[];
    parent: FlameNode | null;
}

export interface FlameSpec<N extends FlameNode> {
    root: N;
    words: (n: number) => string;
    /** CSS colour of a box. */
    colour: (n: N) => string;
    /** More about a box, beneath its name. */
    about: (n: N) => ComponentChildren;
    /** Lower case; what matches is marked. */
    search: string;
    describe: string;
    /** Width of a box: by default its value. */
    weight?: (n: N) => number;
    onPick?: (n: N) => void;
}

const ROW = 21;
const ROWS_MAX = 60;

interface Box<N> {
    node: N;
    left: number;
    width: number;
    row: number;
}

function layout<N extends FlameNode>(zoom: N, weight: (n: N) => number, width: number): { boxes: Box<N>[]; cut: boolean } {
    const boxes: Box<N>[] = [];
    const path: N[] = [];
    for (let n: N | null = zoom; n; n = n.parent as N | null) path.unshift(n);
    path.slice(0, -1).forEach((node, row) => boxes.push({ node, left: 0, width: 1, row }));
    const least = 0.7 / Math.max(width, 300);
    let cut = false;
    const queue: Box<N>[] = [{ node: zoom, left: 0, width: 1, row: path.length - 1 }];
    for (let i = 0; i < queue.length; i++) {
        const b = queue[i];
        boxes.push(b);
        if (b.row - path.length >= ROWS_MAX) {
            cut ||= b.node.children.length > 0;
            continue;
        }
        const whole = weight(b.node);
        let left = b.left;
        for (const child of b.node.children as N[]) {
            const w = whole > 0 ? (b.width * weight(child)) / whole : 0;
            if (w >= least) queue.push({ node: child, left, width: w, row: b.row + 1 });
            left += w;
        }
    }
    return { boxes, cut };
}

export function Flame<N extends FlameNode>(spec: FlameSpec<N>) {
    const { root, words, colour, about, search } = spec;
    const weight = spec.weight ?? ((n: N) => n.value);
    const box = useRef<HTMLDivElement>(null);
    const width = useWidth(box);
    const [zoom, setZoom] = useState<N>(root);
    const [focus, setFocus] = useState<N | null>(null);
    const [hover, setHover] = useState<N | null>(null);
    useEffect(() => {
        setZoom(root);
        setFocus(null);
        setHover(null);
    }, [root]);
    const inside = zoomInside(zoom, root) ? zoom : root;
    const { boxes, cut } = useMemo(() => layout(inside, weight, width), [inside, width, root]);
    const matches = (n: N) => search !== "" && n.name.toLowerCase().includes(search);
    const rows = boxes.reduce((most, b) => Math.max(most, b.row + 1), 1);
    const shown = hover ?? focus ?? inside;

    const walk = (to: FlameNode | null | undefined) => to && setFocus(to as N);
    const zoomTo = (n: N) => {
        setZoom(n);
        setFocus(n);
        spec.onPick?.(n);
    };
    const onKey = (e: KeyboardEvent) => {
        const at = focus ?? inside;
        const siblings = at.parent?.children ?? [at];
        const i = siblings.indexOf(at);
        if (e.key === "ArrowDown") walk(at.children[0]);
        else if (e.key === "ArrowUp") walk(at.parent);
        else if (e.key === "ArrowLeft") walk(siblings[i - 1]);
        else if (e.key === "ArrowRight") walk(siblings[i + 1]);
        else if (e.key === "Enter") zoomTo(at);
        else if (e.key === "Backspace") zoomTo((inside.parent ?? inside) as N);
        else if (e.key === "Escape") zoomTo(root);
        else return;
        e.preventDefault();
    };

    return (
        <div class="flame">
            <div class="flame-about" aria-live="polite">
                <div class="flame-name">
                    <b>{shown.name}</b>
                    <span class="flame-value">
                        {words(shown.value)} · {share(Math.abs(weight(shown)), weight(root))}
                        {inside !== root && shown !== root && ` · ${share(Math.abs(weight(shown)), weight(inside))} of the zoomed`}
                    </span>
                    {inside !== root && <button class="flame-out screen-only" onClick={() => zoomTo(root)}>Zoom out</button>}
                </div>
                <div class="flame-where">{about(shown)}</div>
            </div>
            <div class="flame-boxes" ref={box} tabIndex={0} role="application"
                aria-label={spec.describe + " Arrow keys walk, Enter zooms, Escape zooms out."}
                style={`height:${rows * ROW}px`} onKeyDown={onKey} onMouseLeave={() => setHover(null)}>
                {boxes.map((b) => (
                    <div key={b.row + "/" + b.left}
                        class={"flame-box" + (b.node === focus ? " flame-focus" : "")
                            + (search !== "" ? (matches(b.node) ? " flame-match" : " flame-dim") : "")
                            + (b.row < depthOf(inside) ? " flame-above" : "")}
                        style={`left:${100 * b.left}%;width:${100 * b.width}%;top:${b.row * ROW}px;--box:${colour(b.node)}`}
                        onMouseEnter={() => setHover(b.node)} onClick={() => zoomTo(b.node)}>
                        {b.width * width > 24 ? b.node.name : ""}
                    </div>
                ))}
            </div>
            {cut && <div class="flame-more">Deeper calls are not shown: zoom into a box to see them.</div>}
        </div>
    );
}

function depthOf(n: FlameNode): number {
    let depth = 0;
    for (let p = n.parent; p; p = p.parent) depth++;
    return depth;
}

// After another tree was chosen, the old zoom is for one more drawing no part of it.
function zoomInside(zoom: FlameNode, root: FlameNode): boolean {
    let n: FlameNode = zoom;
    while (n.parent) n = n.parent;
    return n === root;
}
