// The lab's page: each experiment a section with its claim, its verdict and its plots. The data
// say what to draw, so that an experiment in C needs no code here.

import { Bars, type Bar } from "../components/bars.tsx";
import { Heat, type HeatSpec } from "../components/heat.tsx";
import { type SectionSpec, showPage } from "../components/page.tsx";
import { type Axis, Plot, type PlotSpec, type Series } from "../components/plot.tsx";
import { pageData } from "../lib/data.ts";
import { brief, count, share, size, time } from "../lib/format.ts";
import "./lab.css";

type Unit = "size" | "count" | "time" | "ratio" | "number" | "percent";

interface Figure {
    kind: "plot" | "bars" | "heat";
    title?: string;
    describe?: string;
    xAxis?: Axis & { unit?: Unit };
    yAxis?: Axis & { unit?: Unit };
    unit?: Unit;
    x?: number[];
    series?: Series[];
    bars?: Bar[];
    rows?: string[];
    columns?: string[];
    cells?: (number | null)[][];
    log?: boolean;
}

interface Experiment {
    id: string;
    title: string;
    claim?: string;
    /** "holds", "differs", "unclear", or "skipped": decides the colour of the verdict. */
    verdict?: string;
    verdict_text?: string;
    text?: string[];
    figures?: Figure[];
}

interface Lab {
    title: string;
    sub?: string;
    experiments: Experiment[];
    end?: string;
}

const WORDS: Record<Unit, (n: number) => string> = {
    size,
    count,
    time,
    ratio: (n) => n.toFixed(2) + "×",
    number: brief,
    percent: (n) => share(n, 100),
};

const words = (u: Unit | undefined) => WORDS[u ?? "number"];

function FigureView({ f }: { f: Figure }) {
    const describe = f.describe ?? f.title ?? "figure";
    const axis = (a: Figure["xAxis"]): Axis => ({ ...a, words: words(a?.unit) });
    return (
        <div class="lab-figure">
            {f.title && <h3>{f.title}</h3>}
            {f.kind === "plot" && (
                <Plot {...({ x: f.x ?? [], series: f.series ?? [], describe } as PlotSpec)}
                    xAxis={axis(f.xAxis)} yAxis={axis(f.yAxis)} />
            )}
            {f.kind === "bars" && <Bars bars={f.bars ?? []} words={words(f.unit)} />}
            {f.kind === "heat" && (
                <Heat {...({ rows: f.rows ?? [], columns: f.columns ?? [], cells: f.cells ?? [], describe } as HeatSpec)}
                    log={f.log} words={words(f.unit)} />
            )}
        </div>
    );
}

function section(e: Experiment): SectionSpec {
    return {
        id: e.id,
        title: e.title,
        says: e.claim,
        body: (
            <>
                {e.verdict && (
                    <p class={"lab-verdict lab-" + e.verdict}>
                        <b>{e.verdict}</b> {e.verdict_text}
                    </p>
                )}
                {(e.text ?? []).map((t) => <p class="lab-text">{t}</p>)}
                {(e.figures ?? []).map((f) => <FigureView f={f} />)}
            </>
        ),
    };
}

const lab = pageData<Lab>();
showPage({
    kind: "lab",
    title: lab.title,
    sub: lab.sub,
    sections: lab.experiments.map(section),
    end: lab.end,
});
