// Numbers as people read them, by the same rules as the text report: sizes are decimal, with
// three digits; the exact number stands beside where it matters.

const SIZES = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
const COUNTS = ["", "k", "M", "G", "T"];

function threeDigits(n: number): string {
    return n >= 99.95 ? n.toFixed(0) : n >= 9.995 ? n.toFixed(1) : n.toFixed(2);
}

function scaled(n: number, units: string[]): string {
    let i = 0;
    let x = Math.abs(n);
    while (x >= 999.5 && i + 1 < units.length) {
        x /= 1000;
        i++;
    }
    const digits = i === 0 ? String(Math.round(x * 100) / 100) : threeDigits(x);
    return (n < 0 ? "−" : "") + digits + (units[i] === "" ? "" : " " + units[i]);
}

/** 999 B, 1.23 kB, 80.0 MB */
export function size(bytes: number): string {
    return scaled(bytes, SIZES);
}

/** 1,234,567 */
export function count(n: number): string {
    return (n < 0 ? "−" : "") + Math.abs(Math.round(n)).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/** 999, 1.23 k, 80.0 M: where there is no room for all digits */
export function brief(n: number): string {
    return scaled(n, COUNTS);
}

/** 83 %, <1 % */
export function share(part: number, whole: number): string {
    if (whole <= 0 || part <= 0) return "0 %";
    const percent = (100 * part) / whole;
    return percent < 1 ? "<1 %" : percent > 99 && part < whole ? ">99 %" : percent.toFixed(0) + " %";
}

/** 12 ms, 3.2 s, 2 min 5 s */
export function time(ns: number): string {
    if (ns < 1e3) return Math.round(ns) + " ns";
    if (ns < 1e6) return threeDigits(ns / 1e3) + " µs";
    if (ns < 1e9) return (ns / 1e6 < 10 ? (ns / 1e6).toFixed(1) : (ns / 1e6).toFixed(0)) + " ms";
    const s = ns / 1e9;
    if (s < 60) return s.toFixed(1) + " s";
    const whole = Math.round(s);
    if (whole < 3600) return Math.floor(whole / 60) + " min " + (whole % 60) + " s";
    if (whole < 86400) return Math.floor(whole / 3600) + " h " + Math.floor((whole % 3600) / 60) + " min";
    return Math.floor(whole / 86400) + " d " + Math.floor((whole % 86400) / 3600) + " h";
}

/** "1 block", "1,234 blocks" */
export function of(n: number, noun: string): string {
    return count(n) + " " + noun + (n === 1 ? "" : "s");
}
