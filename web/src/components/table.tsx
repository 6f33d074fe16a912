// A table to sort and to search, with rows that open. Only as many rows as a reader looks at are
// made; the rest follow by a button. Keys: Tab to the rows, arrows walk, Enter opens.

import type { ComponentChildren } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { count, of } from "../lib/format.ts";
import "./table.css";

export interface Column<R> {
    key: string;
    title: string;
    /** What the column means, as a title. */
    help?: string;
    /** A number sorts descending first; a text ascending. */
    value: (row: R) => number | string;
    show?: (row: R) => ComponentChildren;
    /** Draw a bar behind the number, against the largest of the column. */
    bar?: boolean;
    /** Takes what room is left. */
    wide?: boolean;
    /** Left out on narrow screens. */
    minor?: boolean;
}

export interface TableSpec<R> {
    rows: R[];
    columns: Column<R>[];
    sort: string;
    /** What a search looks through, in lower case; no search field without it. */
    text?: (row: R) => string;
    /** What a row shows when it is opened. */
    detail?: (row: R) => ComponentChildren;
    /** A stable identity. */
    id: (row: R) => string | number;
    noun: string;
    describe: string;
    step?: number;
}

function compare<R>(c: Column<R>, down: boolean) {
    return (a: R, b: R) => {
        const x = c.value(a);
        const y = c.value(b);
        const r = typeof x === "number" ? x - (y as number) : String(x).localeCompare(String(y));
        return down ? -r : r;
    };
}

// On a narrow screen the first columns stay, and the one that is sorted by.
function columnClass<R>(c: Column<R>, i: number, sorted: boolean): string {
    return (c.wide ? "wide" : "num") + ((c.minor || i > 4) && !sorted ? " minor" : "") + (i > 2 && !sorted ? " wide-screens" : "");
}

export function Table<R>(t: TableSpec<R>) {
    const step = t.step ?? 15;
    const [sort, setSort] = useState({ key: t.sort, down: true });
    const [search, setSearch] = useState("");
    const [open, setOpen] = useState<Set<string | number>>(new Set());
    const [most, setMost] = useState(step);
    const body = useRef<HTMLTableSectionElement>(null);
    const column = t.columns.find((c) => c.key === sort.key) ?? t.columns[0];
    const rows = useMemo(() => {
        const words = search.toLowerCase().split(/\s+/).filter(Boolean);
        const found = words.length === 0 ? t.rows : t.rows.filter((r) => words.every((w) => t.text!(r).includes(w)));
        return [...found].sort(compare(column, sort.down));
    }, [t.rows, search, sort, column]);
    const largest = useMemo(() => {
        const m: Record<string, number> = {};
        for (const c of t.columns)
            if (c.bar) m[c.key] = t.rows.reduce((x, r) => Math.max(x, Math.abs(c.value(r) as number)), 0);
        return m;
    }, [t.rows, t.columns]);

    const toggle = (id: string | number) => {
        const next = new Set(open);
        if (!next.delete(id)) next.add(id);
        setOpen(next);
    };
    const onKey = (e: KeyboardEvent, id: string | number) => {
        const all = [...body.current!.querySelectorAll<HTMLElement>("tr[tabindex]")];
        const i = all.indexOf(e.currentTarget as HTMLElement);
        if (e.key === "Enter" || e.key === " ") toggle(id);
        else if (e.key === "ArrowDown") all[i + 1]?.focus();
        else if (e.key === "ArrowUp") all[i - 1]?.focus();
        else return;
        e.preventDefault();
    };
    const sortBy = (c: Column<R>) => setSort({
        key: c.key,
        down: sort.key === c.key ? !sort.down : t.rows.length > 0 && typeof c.value(t.rows[0]) === "number",
    });

    return (
        <div class="table">
            {t.text && (
                <div class="table-tools screen-only">
                    <input type="search" placeholder="Search: function, file, library" value={search}
                        aria-label={`Search in ${t.noun}s`} onInput={(e) => setSearch(e.currentTarget.value)} />
                    <span class="table-count" aria-live="polite">
                        {search === "" ? of(t.rows.length, t.noun) : `${count(rows.length)} of ${of(t.rows.length, t.noun)}`}
                    </span>
                </div>
            )}
            <div class="table-scroll">
                <table aria-label={t.describe}>
                    <thead>
                        <tr>
                            {t.columns.map((c, i) => (
                                <th class={columnClass(c, i, sort.key === c.key)} title={c.help}
                                    aria-sort={sort.key === c.key ? (sort.down ? "descending" : "ascending") : undefined}>
                                    <button onClick={() => sortBy(c)}>
                                        {c.title}
                                        <span class="table-arrow" aria-hidden="true">
                                            {sort.key === c.key ? (sort.down ? "▾" : "▴") : ""}
                                        </span>
                                    </button>
                                </th>
                            ))}
                        </tr>
                    </thead>
                    <tbody ref={body}>
                        {rows.slice(0, most).map((r) => {
                            const id = t.id(r);
                            const isOpen = open.has(id);
                            return [
                                <tr key={id} tabIndex={t.detail ? 0 : undefined} class={t.detail ? "opens" : ""}
                                    aria-expanded={t.detail ? isOpen : undefined}
                                    onClick={() => t.detail && toggle(id)}
                                    onKeyDown={(e) => t.detail && onKey(e, id)}>
                                    {t.columns.map((c, i) => (
                                        <td class={columnClass(c, i, sort.key === c.key)}
                                            style={c.bar && largest[c.key] > 0
                                                ? `--bar:${(100 * Math.abs(c.value(r) as number)) / largest[c.key]}%` : undefined}>
                                            {c.show ? c.show(r) : c.value(r)}
                                        </td>
                                    ))}
                                </tr>,
                                isOpen && (
                                    <tr key={id + "+"} class="detail">
                                        <td colSpan={t.columns.length}>{t.detail!(r)}</td>
                                    </tr>
                                ),
                            ];
                        })}
                    </tbody>
                </table>
            </div>
            {rows.length === 0 && <p class="table-none">Nothing matches.</p>}
            {rows.length > most && (
                <button class="table-more screen-only" onClick={() => setMost(most * 4)}>
                    Show more: {count(rows.length - most)} left
                </button>
            )}
        </div>
    );
}
