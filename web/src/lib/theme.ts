// Light, dark, or as the system is. Styles read CSS variables and follow by themselves; what is
// drawn on a canvas asks colour() and redraws when useTheme() changes. Paper is always light.

import { options } from "preact";
import { useEffect, useState } from "preact/hooks";

export type Theme = "auto" | "light" | "dark";
const KEY = "loam-theme";
const listeners = new Set<() => void>();
let chosen: Theme = "auto";
let printing = false;

function apply(): void {
    const root = document.documentElement;
    const shown = printing ? "light" : chosen;
    if (shown === "auto") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", shown);
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
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
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
