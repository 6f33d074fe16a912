// The lab's page. Its data are the document that `loam lab run --json` writes (docs/lab-json.md):
// first all claims in one table, then a section for each chapter, with an article for each
// experiment.

import { Bars } from "../components/bars.tsx";
import { Heat } from "../components/heat.tsx";
import { type SectionSpec, showPage } from "../components/page.tsx";
import { Plot, type Series } from "../components/plot.tsx";
import { Table } from "../components/table.tsx";
import { pageData } from "../lib/data.ts";
import { brief, of } from "../lib/format.ts";
import "./lab.css";

interface Summary {
    value: number;
    ci95: [number, number];
    n: number;
    rejected: number;
}

interface Metric extends Summary {
    key: string;
    unit: string;
    exact?: boolean;
    group?: number;
    seen?: string;
}

interface Claim {
    source: string;
    topic?: string;
    what: string;
    quote: string;
    metric: string;
    unit?: string;
    range?: [number | null, number | null];
    verdict: string;
    factor?: number;
    why?: string;
}

interface Curve {
    name: string;
    x: string;
    y: string;
    points: (Summary & { x: number })[];
}

interface Experiment {
    id: string;
    name: string;
    chapter: string;
    status: string;
    failure?: string;
    question: string;
    prediction?: string;
    method?: string;
    look?: string;
    seconds: number;
    noise?: { grade: string };
    claims: Claim[];
    metrics: Metric[];
    series: Curve[];
    tables: { title: string; columns: string[]; rows: string[][] }[];
    pictures: { title: string; lines: string[] }[];
    heats: { title: string; unit: string; columns: string[]; rows: string[]; values: number[][] }[];
    histograms: { name: string; unit: string; bins: [number, number, number][] }[];
    notes: string[];
}

interface Lab {
    time: string;
    depth: string;
    seconds: number;
    version: string;
    env: { cpu: string; core_ghz: number; cpus: number; kernel: string; hypervisor: string };
    sources: Record<string, string>;
    chapters: Record<string, string>;
    experiments: Experiment[];
}

const VERDICTS = ["holds", "partly", "differs", "cannot", "inconclusive"];

// ---------------------------------------------------------------- numbers

function bytes(n: number): string {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let u = 0;
    for (; n >= 1024 && u + 1 < units.length; u++) n /= 1024;
    return `${Number(n.toPrecision(3))} ${units[u]}`;
}

function words(unit: string): (n: number) => string {
    if (unit === "yes") return (n) => (n ? "yes" : "no");
    if (unit === "bytes") return bytes;
    if (unit === "ns")
        return (n) => (n < 1e4 ? `${Number(n.toPrecision(3))} ns` : n < 1e7 ? `${Number((n / 1e3).toPrecision(3))} µs`
            : `${Number((n / 1e6).toPrecision(3))} ms`);
    return (n) => `${Math.abs(n) < 1e5 ? Number(n.toPrecision(4)) : brief(n)} ${unit === "x" ? "×" : unit}`;
}

function measured(e: Experiment, c: Claim): string {
    const m = e.metrics.find((x) => x.key === c.metric);
    return m === undefined || m.n === 0 ? "–" : words(m.unit)(m.value);
}

function interval(m: Metric): string {
    if (m.exact || m.n < 2) return "";
    const w = words(m.unit);
    return `${w(m.ci95[0])} to ${w(m.ci95[1])}, ${m.n} samples` + (m.rejected ? `, ${m.rejected} thrown away` : "");
}

const Verdict = ({ c }: { c: Claim }) => (
    <span class={"lab-verdict lab-" + c.verdict}>
        {c.verdict}
        {c.factor !== undefined && c.verdict !== "cannot" && ` ${Number(c.factor.toPrecision(3))}×`}
    </span>
);

// ---------------------------------------------------------------- one experiment

function Claims({ e }: { e: Experiment }) {
    return (
        <table class="lab-table">
            <thead>
                <tr><th>text</th><th>quantity</th><th>claims</th><th>here</th><th>verdict</th></tr>
            </thead>
            <tbody>
                {e.claims.map((c) => (
                    <tr>
                        <td title={lab.sources[c.source]}>{c.source}</td>
                        <td>{c.what}</td>
                        <td>“{c.quote}”</td>
                        <td class="lab-number">{measured(e, c)}</td>
                        <td>
                            <Verdict c={c} />
                            {c.why && <div class="lab-why">{c.why}</div>}
                        </td>
                    </tr>
                ))}
            </tbody>
        </table>
    );
}

/** Curves that share their units, in one plot; claims in the unit of y as bands. */
function Curves({ e, curves }: { e: Experiment; curves: Curve[] }) {
    const first = curves[0]!;
    const x = [...new Set(curves.flatMap((c) => c.points.map((p) => p.x)))].sort((a, b) => a - b);
    const all = curves.flatMap((c) => c.points.map((p) => p.value)).filter((v) => v > 0);
    const top = Math.max(...all);
    const low = Math.min(...all);
    const series: Series[] = curves.map((c, i) => {
        const at = new Map(c.points.map((p) => [p.x, p]));
        const pick = (f: (p: Summary) => number) => x.map((v) => (at.has(v) ? f(at.get(v)!) : null));
        return {
            label: c.name,
            kind: "both",
            colour: (i % 8) + 1,
            y: pick((p) => p.value),
            low: pick((p) => p.ci95[0]),
            high: pick((p) => p.ci95[1]),
        };
    });
    e.claims.forEach((c, i) => {
        if (c.unit !== first.y || !c.range) return;
        const from = Math.max(low, c.range[0] ?? low);
        const to = Math.min(top, c.range[1] ?? top);
        if (from >= to) return;
        const flat = (v: number) => x.map(() => v);
        series.push({
            label: `${c.source} ${c.what}`,
            colour: (i % 8) + 1,
            y: flat(Math.sqrt(from * to)),
            low: flat(from),
            high: flat(to),
        });
    });
    const describe = `${first.y} by ${first.x}`;
    return (
        <div class="lab-figure">
            <h4>{describe}</h4>
            <Plot x={x} series={series} describe={describe} height={320}
                xAxis={{ log: x[0]! > 0, label: first.x, words: words(first.x === "bytes" ? "bytes" : "") }}
                yAxis={{ log: low > 0, words: words(first.y) }} />
        </div>
    );
}

function grouped<T>(list: T[], key: (t: T) => string): T[][] {
    const groups = new Map<string, T[]>();
    for (const item of list) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
    return [...groups.values()];
}

const MetricBars = ({ metrics }: { metrics: Metric[] }) => (
    <div class="lab-figure">
        <Bars words={words(metrics[0]!.unit)} bars={metrics.map((m) => ({
            label: m.key, value: m.value, low: m.ci95[0], high: m.ci95[1], title: interval(m),
        }))} />
    </div>
);

function Figures({ e }: { e: Experiment }) {
    const timed = e.metrics.filter((m) => m.group !== undefined && m.n > 0);
    return (
        <>
            {grouped(e.series.filter((s) => s.points.length > 0), (s) => s.x + "/" + s.y)
                .map((curves) => <Curves e={e} curves={curves} />)}
            {grouped(timed, (m) => String(m.group)).map((metrics) => <MetricBars metrics={metrics} />)}
            {e.histograms.map((h) => (
                <div class="lab-figure">
                    <h4>{h.name}</h4>
                    <Bars words={brief} bars={h.bins.map((b) => ({ label: words(h.unit)(b[0]), value: b[2] }))} />
                </div>
            ))}
            {e.heats.map((h) => (
                <div class="lab-figure">
                    <h4>{h.title}</h4>
                    <Heat rows={h.rows} columns={h.columns} cells={h.values} describe={h.title} log
                        words={words(h.unit)} />
                </div>
            ))}
            {e.tables.map((t) => (
                <div class="lab-figure">
                    <h4>{t.title}</h4>
                    <table class="lab-table">
                        <thead><tr>{t.columns.map((c) => <th>{c}</th>)}</tr></thead>
                        <tbody>{t.rows.map((r) => <tr>{r.map((c) => <td>{c}</td>)}</tr>)}</tbody>
                    </table>
                </div>
            ))}
            {e.pictures.map((p) => (
                <div class="lab-figure">
                    <h4>{p.title}</h4>
                    <pre class="lab-picture">{p.lines.join("\n")}</pre>
                </div>
            ))}
        </>
    );
}

function Article({ e }: { e: Experiment }) {
    return (
        <article class="lab-experiment" id={e.id}>
            <h3>
                <span class="lab-id">{e.id}</span> {e.name}
                <span class="lab-cost">{e.seconds.toFixed(1)} s{e.noise && `, noise ${e.noise.grade}`}</span>
            </h3>
            <p class="lab-text">{e.question}</p>
            {e.failure && <p class="lab-text lab-failure">failed: {e.failure}</p>}
            <Claims e={e} />
            <details>
                <summary>prediction, method, what to look for</summary>
                <p class="lab-text">{e.prediction}</p>
                <p class="lab-text">{e.method}</p>
                <p class="lab-text">{e.look}</p>
            </details>
            <Figures e={e} />
            {e.notes.map((n) => <p class="lab-text">{n}</p>)}
            {e.metrics.length > 0 && (
                <details>
                    <summary>{of(e.metrics.length, "metric")}</summary>
                    <table class="lab-table">
                        <tbody>
                            {e.metrics.map((m) => (
                                <tr>
                                    <td>{m.key}</td>
                                    <td class="lab-number">{words(m.unit)(m.value)}</td>
                                    <td>{interval(m) || m.seen}</td>
                                </tr>
                            ))}
                        </tbody>
                    </table>
                </details>
            )}
        </article>
    );
}

// ---------------------------------------------------------------- the page

const lab = pageData<Lab>();
const claims = lab.experiments.flatMap((e) => e.claims.map((c, i) => ({ e, c, i })));

function Counts() {
    return (
        <p class="lab-counts">
            {VERDICTS.map((v) => [v, claims.filter((r) => r.c.verdict === v).length] as const)
                .filter(([, n]) => n > 0)
                .map(([v, n]) => <span class={"lab-verdict lab-" + v}>{n} {v}</span>)}
        </p>
    );
}

function AllClaims() {
    return (
        <Table rows={claims} sort="verdict" noun="claim" describe="all claims" step={25}
            id={(r) => `${r.e.id}.${r.i}`}
            text={(r) => `${r.e.id} ${r.e.name} ${r.c.source} ${r.c.what} ${r.c.quote} ${r.c.verdict}`.toLowerCase()}
            columns={[
                { key: "id", title: "experiment", value: (r) => r.e.id,
                  show: (r) => <a href={"#" + r.e.id}>{r.e.id} {r.e.name}</a> },
                { key: "source", title: "text", value: (r) => r.c.source },
                { key: "what", title: "quantity", value: (r) => r.c.what, wide: true },
                { key: "quote", title: "claims", value: (r) => r.c.quote, minor: true },
                { key: "here", title: "here", value: (r) => measured(r.e, r.c) },
                { key: "verdict", title: "verdict", value: (r) => VERDICTS.indexOf(r.c.verdict),
                  show: (r) => <Verdict c={r.c} /> },
            ]}
            detail={(r) => <p class="lab-text">{r.c.why ?? lab.sources[r.c.source]}</p>} />
    );
}

const chapters: SectionSpec[] = grouped(lab.experiments, (e) => e.chapter).map((list) => ({
    id: "chapter-" + list[0]!.chapter,
    title: list[0]!.chapter,
    says: lab.chapters[list[0]!.chapter],
    body: <>{list.map((e) => <Article e={e} />)}</>,
}));

showPage({
    kind: "lab",
    title: lab.env.cpu,
    sub: `${lab.env.core_ghz.toFixed(2)} GHz, ${of(lab.env.cpus, "processor")}, Linux ${lab.env.kernel}; ` +
        `${lab.depth} run, ${lab.seconds.toFixed(0)} s, ${lab.time}`,
    top: <Counts />,
    sections: [
        { id: "claims", title: "Claims", says: of(claims.length, "claim"), body: <AllClaims /> },
        ...chapters,
        {
            id: "texts",
            title: "Texts",
            body: <ul>{Object.entries(lab.sources).map(([id, title]) => <li><b>{id}</b> {title}</li>)}</ul>,
        },
    ],
    end: `loam ${lab.version}; again: loam lab run all --html lab.html`,
});
