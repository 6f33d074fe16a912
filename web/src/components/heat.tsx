// A heat map: rows by columns, each cell a number whose colour says how much.

import { brief } from "../lib/format.ts";
import "./heat.css";

export interface HeatSpec {
    rows: string[];
    columns: string[];
    /** By row, then column; null where there is nothing. */
    cells: (number | null)[][];
    words?: (n: number) => string;
    /** Colour by the logarithm. */
    log?: boolean;
    describe: string;
}

export function Heat({ rows, columns, cells, words = brief, log, describe }: HeatSpec) {
    const known = cells.flat().filter((c): c is number => c !== null && (!log || c > 0));
    const low = Math.min(...known);
    const high = Math.max(...known);
    const on = (n: number) => (log ? Math.log(n) : n);
    const heat = (n: number | null) =>
        n === null || high === low ? 0 : (85 * (on(n) - on(low))) / (on(high) - on(low));
    return (
        <div class="heat-scroll">
            <div class="heat" role="table" aria-label={describe}
                style={`grid-template-columns:max-content repeat(${columns.length},minmax(34px,1fr))`}>
                <div style="display:contents" role="row">
                    <div role="columnheader" />
                    {columns.map((c) => <div class="heat-column" role="columnheader" title={c}>{c}</div>)}
                </div>
                {rows.map((r, i) => (
                    <div style="display:contents" role="row">
                        <div class="heat-label" role="rowheader">{r}</div>
                        {columns.map((c, k) => {
                            const n = cells[i]?.[k] ?? null;
                            return (
                                <div class="heat-cell" role="cell" style={`--heat:${heat(n)}`}
                                    title={`${r}, ${c}: ${n === null ? "nothing" : words(n)}`}>
                                    {n === null ? "" : words(n)}
                                </div>
                            );
                        })}
                    </div>
                ))}
            </div>
        </div>
    );
}
