// The frame of every page: what this is, a bar of links to the sections, the sections, an end.

import { type ComponentChildren, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { currentTheme, initTheme, setTheme, type Theme } from "../lib/theme.ts";
import "../theme.css";
import "./page.css";

export interface SectionSpec {
    id: string;
    title: string;
    /** One sentence beside the title: the answer, not the method. */
    says?: ComponentChildren;
    body: ComponentChildren;
}

export interface PageSpec {
    /** "memory report", "lab": what kind of page this is. */
    kind: string;
    title: string;
    sub?: ComponentChildren;
    /** What a reader needs in ten seconds; stands above the bar of links. */
    top?: ComponentChildren;
    sections: (SectionSpec | false | null | undefined)[];
    end?: ComponentChildren;
}

const NEXT: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };
const SIGN: Record<Theme, string> = { auto: "◐ auto", light: "○ light", dark: "● dark" };

function ThemeButton() {
    const [theme, set] = useState(currentTheme());
    const next = () => {
        setTheme(NEXT[theme]);
        set(NEXT[theme]);
    };
    return (
        <button class="page-theme" onClick={next} aria-label={`Colours: ${theme}. Press to change.`}>
            {SIGN[theme]}
        </button>
    );
}

// The section that the reader looks at: the last one whose top has passed the bar.
function useCurrent(ids: string[]): string {
    const [current, set] = useState("");
    useEffect(() => {
        const look = () => {
            const passed = ids.filter(
                (id) => (document.getElementById(id)?.getBoundingClientRect().top ?? 1e9) < 120);
            set(passed[passed.length - 1] ?? "");
        };
        look();
        addEventListener("scroll", look, { passive: true });
        return () => removeEventListener("scroll", look);
    }, []);
    return current;
}

function Page({ page }: { page: PageSpec }) {
    const sections = page.sections.filter((s): s is SectionSpec => !!s);
    const current = useCurrent(sections.map((s) => s.id));
    return (
        <div class="page">
            <header class="page-top">
                <div class="page-kind">loam · {page.kind}</div>
                <h1>{page.title}</h1>
                {page.sub && <div class="page-sub">{page.sub}</div>}
            </header>
            {page.top}
            <nav class="page-bar" aria-label="Sections">
                <div class="page-links">
                    {sections.map((s) => (
                        <a href={"#" + s.id} aria-current={current === s.id ? "true" : undefined}>
                            {s.title}
                        </a>
                    ))}
                </div>
                <ThemeButton />
            </nav>
            <main>
                {sections.map((s) => (
                    <section class="section" id={s.id} aria-labelledby={s.id + "-title"}>
                        <div class="section-top">
                            <h2 id={s.id + "-title"}>{s.title}</h2>
                            {s.says && <div class="section-says">{s.says}</div>}
                        </div>
                        {s.body}
                    </section>
                ))}
            </main>
            {page.end && <footer class="page-end">{page.end}</footer>}
        </div>
    );
}

export function showPage(page: PageSpec): void {
    initTheme();
    document.title = `${page.title} · loam ${page.kind}`;
    const root = document.getElementById("page")!;
    root.textContent = "";
    render(<Page page={page} />, root);
}
