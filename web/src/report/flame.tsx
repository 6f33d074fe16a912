// The flame graph of a report: which bytes, from outside or from inside, and a search.

import { useMemo, useState } from "preact/hooks";
import { Flame } from "../components/flame.tsx";
import { count, size } from "../lib/format.ts";
import { changeColour, frameColour } from "./colour.ts";
import { type Report, where } from "./data.ts";
import { buildTree, type Node } from "./tree.ts";
import "./flame.css";

function about(n: Node): string {
    if (!n.frame) return "";
    const place = where(n.frame);
    return [place, n.frame.module.split("/").pop()].filter(Boolean).join(" · ");
}

export function FlameSection({ report }: { report: Report }) {
    const measures = report.data.measures.map((m, i) => ({ ...m, i })).filter((m) => m.total !== 0);
    const [chosen, choose] = useState((measures.find((m) => m.key === "peak") ?? measures[0])?.i ?? 0);
    const [inverse, setInverse] = useState(false);
    const [search, setSearch] = useState("");
    const measure = report.data.measures[chosen];
    const words = measure.unit === "bytes" ? size : count;
    const root = useMemo(
        () => buildTree(report, chosen, inverse, report.data.diff ? "difference" : "all"), [chosen, inverse]);
    const isDiff = !!report.data.diff;
    const most = isDiff ? Math.abs(root.children[0]?.value ?? 0) : 0;
    const found = useMemo(() => matched(root, search), [root, search]);
    if (measures.length === 0) return <p>Nothing was allocated.</p>;
    return (
        <>
            <div class="choices screen-only" role="group" aria-label="What the width shows">
                {measures.map((m) => (
                    <button aria-pressed={m.i === chosen} title={m.help} onClick={() => choose(m.i)}>{m.label}</button>
                ))}
            </div>
            <div class="choices screen-only">
                <button aria-pressed={!inverse} onClick={() => setInverse(false)}>From main down</button>
                <button aria-pressed={inverse} onClick={() => setInverse(true)}
                    title="Who allocated, and who called them: one function in many places becomes one box">
                    From the allocation up
                </button>
                <input type="search" placeholder="Mark functions" aria-label="Mark functions" value={search}
                    onInput={(e) => setSearch(e.currentTarget.value)} />
                {search !== "" && <span class="flame-found" aria-live="polite">{words(found)} in marked functions</span>}
            </div>
            <p class="print-only flame-print">{measure.label}: {measure.help}.</p>
            <Flame<Node> root={root} words={words} about={about} search={search.toLowerCase()}
                colour={(n) => (isDiff ? changeColour(n.value, most) : frameColour(n.frame))}
                describe={`Flame graph: ${measure.label}, ${words(root.value)} in all.`} />
            <div class="flame-key">
                {isDiff
                    ? <><i style={`--box:${changeColour(1, 1)}`} />more <i style={`--box:${changeColour(-1, 1)}`} />less</>
                    : <><i style="--box:hsl(34 var(--flame-own-s) var(--flame-own-l))" />the program's own code{" "}
                        <i style="--box:hsl(200 var(--flame-lib-s) var(--flame-lib-l))" />libraries{" "}
                        <i style="--box:var(--flame-grey)" />no name known</>}
            </div>
        </>
    );
}

// The sum of the outermost marked boxes: nested ones would count twice.
function matched(root: Node, search: string): number {
    if (search === "") return 0;
    const word = search.toLowerCase();
    let sum = 0;
    const open: Node[] = [root];
    for (let n = open.pop(); n; n = open.pop()) {
        if (n.name.toLowerCase().includes(word)) sum += n.value;
        else open.push(...n.children);
    }
    return sum;
}
