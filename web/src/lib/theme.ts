// Light, dark, or as the system is: the root's data-theme says which, always, so that the style
// names each colour once. Styles read CSS variables and follow by themselves; what is drawn on a
// canvas asks colour() and redraws when useTheme() changes. Paper is always light.

import { options } from "preact";
import { useEffect, useState } from "preact/hooks";

export type Theme = "auto" | "light" | "dark";
const KEY = "loam-theme";
const listeners = new Set<() => void>();
let chosen: Theme = "auto";
let printing = false;

const system = matchMedia("(prefers-color-scheme: dark)");

function apply(): void {
    const wanted = chosen !== "auto" ? chosen : system.matches ? "dark" : "light";
    document.documentElement.setAttribute("data-theme", printing ? "light" : wanted);
    listeners.forEach((f) => f());
}

export function initTheme(): void {
    try {
        chosen = (localStorage.getItem(KEY) as Theme) ?? "auto";
    } catch {
        // Pages from file:// may have no storage; then the choice lasts as long as the page.
    }
    // The browser prints when the handlers return: nothing may be put off until later then.
    const print = (on: boolean) => () => {
        options.debounceRendering = on ? (draw) => draw() : undefined;
        printing = on;
        apply();
    };
    addEventListener("beforeprint", print(true));
    addEventListener("afterprint", print(false));
    system.addEventListener("change", apply);
    apply();
}

export function setTheme(theme: Theme): void {
    chosen = theme;
    try {
        localStorage.setItem(KEY, theme);
    } catch {
        // As above.
    }
    apply();
}

export function currentTheme(): Theme {
    return chosen;
}

/** The value of a CSS variable now: colour("--series-1"). */
export function colour(name: string): string {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** A number that changes with the theme: a dependency for effects that draw. */
export function useTheme(): number {
    const [n, set] = useState(0);
    useEffect(() => {
        const f = () => set((x) => x + 1);
        listeners.add(f);
        return () => void listeners.delete(f);
    }, []);
    return n;
}
