// What loam wrote into the page.

export function pageData<T>(): T {
    const text = document.getElementById("data")?.textContent ?? "";
    return JSON.parse(text) as T;
}
