// The flame graph of a report: which bytes, from outside or from inside, and a search.

import { useMemo, useState } from "preact/hooks";
import { Flame } from "../components/flame.tsx";
import { count, size } from "../lib/format.ts";
import { changeColour, frameColour } from "./colour.ts";
import { type Report, signed, where } from "./data.ts";
import { buildTree, type Node } from "./tree.ts";
import "./flame.css";

function about(n: Node): string {
    if (!n.frame) return "";
    const place = where(n.frame);
    return [place, n.frame.module.split("/").pop()].filter(Boolean).join(" · ");
}

function Choices<T>({ label, options, chosen, choose }: {
    label: string; options: { value: T; text: string; help?: string }[]; chosen: T; choose: (v: T) => void;
}) {
    return (
        <div class="choices screen-only" role="group" aria-label={label}>
            {options.map((o) => (
                <button aria-pressed={o.value === chosen} title={o.help} onClick={() => choose(o.value)}>{o.text}</button>
            ))}
        </div>
    );
}

const DIRECTIONS = [
    { value: false, text: "From main down" },
    { value: true, text: "From the allocation up", help: "Who allocated, and who called them: one function in many places becomes one box" },
];

const SIGNS = [{ value: 1, text: "What grew" }, { value: -1, text: "What shrank" }];

export function FlameSection({ report, first }: { report: Report; first: string }) {
    const isDiff = !!report.data.diff;
    const measures = report.data.measures.map((m, i) => ({ ...m, i }))
        .filter((m) => (isDiff ? report.data.sites.values[m.i].some((v) => v !== 0) : m.total !== 0));
    const [chosen, choose] = useState((measures.find((m) => m.key === first) ?? measures[0])?.i ?? 0);
    const [inverse, setInverse] = useState(false);
    const [search, setSearch] = useState("");
    const [sign, setSign] = useState(1);
    const measure = report.data.measures[chosen];
    const plain = measure.unit === "bytes" ? size : count;
    const words = (n: number) => (isDiff ? signed(sign * n, plain) : plain(n));
    const root = useMemo(
        () => buildTree(report, chosen, inverse, isDiff ? "all changes" : "all", sign), [chosen, inverse, sign]);
    const most = root.children.reduce((m, c) => Math.max(m, c.value), 0);
    const found = useMemo(() => matched(root, search), [root, search]);
    if (measures.length === 0) return <p>{isDiff ? "Nothing changed." : "Nothing was allocated."}</p>;
    return (
        <>
            <Choices label="What the width shows" chosen={chosen} choose={choose}
                options={measures.map((m) => ({ value: m.i, text: m.label, help: m.help }))} />
            <div class="choices screen-only">
                {isDiff && <Choices label="Direction of change" options={SIGNS} chosen={sign} choose={setSign} />}
                <Choices label="Direction" options={DIRECTIONS} chosen={inverse} choose={setInverse} />
                <input type="search" placeholder="Mark functions" aria-label="Mark functions" value={search}
                    onInput={(e) => setSearch(e.currentTarget.value)} />
                {search !== "" && <span class="flame-found" aria-live="polite">{words(found)} in marked functions</span>}
            </div>
            <p class="print-only flame-print">{measure.label}: {measure.help}.</p>
            {root.value === 0 ? <p>Nothing {sign > 0 ? "grew" : "shrank"}.</p> : (
                <Flame<Node> root={root} words={words} about={about} search={search.toLowerCase()}
                    colour={(n) => (isDiff && n.frame ? changeColour(sign * n.value, most) : frameColour(n.frame))}
                    describe={`Flame graph: ${measure.label}, ${words(root.value)} in all.`} />
            )}
            {!isDiff && <FlameKey />}
        </>
    );
}

function FlameKey() {
    return (
        <div class="flame-key">
            <i style="--box:hsl(34 var(--flame-own-s) var(--flame-own-l))" />the program's own code{" "}
            <i style="--box:hsl(200 var(--flame-lib-s) var(--flame-lib-l))" />libraries{" "}
            <i style="--box:var(--flame-grey)" />no name known
        </div>
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
