"""Click through the pages in headless Chromium.

    browse.py REPORT DIFF SAFE_FOLDER [SHOTS]

REPORT is the page of tests/web/rich.c's recording, DIFF that of two of them. Prints "ok NAME" or
"not ok NAME got ... expected ..." for each fact. SHOTS: a folder for screenshots to be looked at.
"""
import json
import sys

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

report, diff, folder = sys.argv[1:4]
shots = sys.argv[4] if len(sys.argv) > 4 else None


def start():
    o = Options()
    o.binary_location = "/usr/bin/chromium"
    for a in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
              "--disable-extensions", "--window-size=1280,1000", "--hide-scrollbars",
              "--user-data-dir=" + folder):
        o.add_argument(a)
    o.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=o)


driver = start()
driver.set_page_load_timeout(60)


def check(name, got, expected):
    if got == expected:
        print("ok", name)
    else:
        print("not ok", name, "got", repr(got)[:300], "expected", repr(expected)[:300])


def all_of(css):
    return driver.find_elements(By.CSS_SELECTOR, css)


def text_of(css):
    return [e.text for e in all_of(css)]


def one(css):
    return driver.find_element(By.CSS_SELECTOR, css)


def wait(what):
    WebDriverWait(driver, 20).until(lambda _: what())


def button(section, word):
    return driver.find_element(By.XPATH, "//section[@id='%s']//button[normalize-space()='%s']" % (section, word))


def boxes():
    return text_of("#flame .flame-box")


def shot(name, width=1280, height=None, dark=False):
    if shots is None:
        return
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
    driver.set_window_size(width, 900)
    height = height or driver.execute_script("return document.documentElement.scrollHeight")
    driver.set_window_size(width, min(height + 150, 6000))
    driver.save_screenshot("%s/%s.png" % (shots, name))
    driver.set_window_size(1280, 1000)


def errors():
    return [e["message"] for e in driver.get_log("browser") if e["level"] == "SEVERE"]


def asked_for():
    """What the page loaded, but for itself and pictures written in it; chrome:// is the browser's own first page."""
    urls = []
    for entry in driver.get_log("performance"):
        m = json.loads(entry["message"])["message"]
        if m["method"] == "Network.requestWillBeSent":
            urls.append(m["params"]["request"]["url"])
    return [u for u in urls if not u.startswith(("file://" + report, "file://" + diff, "data:", "chrome://"))]


# ---------------------------------------------------------------- a report

driver.get("file://" + report)
wait(lambda: all_of("#sites tbody tr"))
check("no error in the console", errors(), [])
check("the page asks for nothing else", asked_for(), [])
check("title", driver.title, "./server --port 8080 · loam memory report")
check("four numbers on top", text_of(".tile-value"), ["276 kB", "51.8 MB", "1.02 GB", "89 %"])
check("where to look first", text_of(".best h2"), ["What leaked", "What holds the peak"])
check("sections", text_of(".page-links a"),
      ["Flame graph", "Leaks", "Sites", "Timeline", "RSS", "Lifetimes", "Sizes", "Processes", "Threads", "Notes"])
shot("report-light")
shot("report-dark", dark=True)
shot("report-narrow", width=400)
shot("report-narrow-dark", width=400, dark=True)

# Flame graph: another gauge, the inverse, zoom by mouse and by keys, search.
check("flame: outermost first", boxes()[:3], ["all", "run_main", "serve_request"])
button("flame", "Leaked").click()
wait(lambda: "parse_body" in boxes())
check("flame: what leaked", sorted(boxes()), ["all", "parse_body", "parse_header", "run_main", "serve_request", "session_open"])
button("flame", "From the allocation up").click()
wait(lambda: boxes()[1] == "parse_body")
check("flame: the inverse begins where it was allocated", boxes()[:4], ["all", "parse_body", "session_open", "parse_header"])
button("flame", "From main down").click()
button("flame", "At the peak").click()
wait(lambda: "cache_grow" in boxes())
box = [e for e in all_of("#flame .flame-box") if e.text == "cache_put"][0]
box.click()
wait(lambda: "Zoom out" in one("#flame .flame-name").text)
check("flame: zoomed, what is beside it is gone", boxes(), ["all", "run_main", "serve_request", "cache_put", "cache_grow"])
check("flame: says what it is", one("#flame .flame-name b").text, "cache_put")
check("flame: and where", one("#flame .flame-where").text.startswith("src/cache.c:12"), True)
graph = one("#flame .flame-boxes")
graph.send_keys(Keys.ESCAPE)
wait(lambda: "buffer_new" in boxes() or len(boxes()) > 5)
for key in (Keys.ARROW_UP, Keys.ARROW_UP, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN):
    graph.send_keys(key)
check("flame: arrows walk", one("#flame .flame-focus").text, "cache_grow")
graph.send_keys(Keys.ENTER)
wait(lambda: boxes() == ["all", "run_main", "serve_request", "cache_put", "cache_grow"])
graph.send_keys(Keys.ESCAPE)
search = one("#flame input[type=search]")
search.send_keys("parse")
wait(lambda: all_of("#flame .flame-match"))
check("flame: marked functions", sorted({e.text[:5] for e in all_of("#flame .flame-match")} - {""}), ["parse"])
check("flame: their sum", one("#flame .flame-found").text, "2.52 MB in marked functions")
search.clear()
search.send_keys(" " + Keys.BACKSPACE)

# The table of sites: sort, search, open.
def first_column(n=3):
    return [t.split()[0] for t in text_of("#sites tbody tr td.wide")[:n]]


check("sites: by the peak", first_column(), ["cache_put", "cache_grow", "buffer_new"])
button("sites", "Allocations").click()
wait(lambda: first_column(1) == ["parse_header"])
check("sites: by calls", first_column(), ["parse_header", "log_line", "parse_body"])
button("sites", "Allocations▾").click()
wait(lambda: first_column(1) == ["cache_grow"])
check("sites: and the other way", one("#sites th[aria-sort]").get_attribute("aria-sort"), "ascending")
one("#sites input[type=search]").send_keys("src/cache.c")
wait(lambda: len(all_of("#sites tbody tr")) == 2)
check("sites: search by file", first_column(), ["cache_grow", "cache_put"])
row = one("#sites tbody tr")
driver.execute_script("arguments[0].focus()", row)
row.send_keys(Keys.ENTER)
wait(lambda: all_of("#sites tr.detail"))
check("sites: a row opens by a key", text_of("#sites tr.detail .stack-function"), ["cache_grow", "cache_put", "serve_request", "run_main"])
shot("report-open", height=2600)
one("#sites input[type=search]").send_keys("nothing has this name")
wait(lambda: all_of("#sites .table-none"))
check("sites: nothing matches, and it says so", one("#sites .table-none").text, "Nothing matches.")

# The timeline: starts at the peak; the slider moves.
check("timeline: at the peak first", one(".timeline-moment").text.startswith("3.0 s after the start: 52.0 MB live"), True)
slider = one("#timeline input[type=range]")
slider.send_keys(Keys.HOME + Keys.ARROW_RIGHT * 20)
wait(lambda: "0.4 s" in one(".timeline-moment").text or "400 ms" in one(".timeline-moment").text)
check("timeline: the slider tells another moment", "6.93 MB live" in one(".timeline-moment").text, True)
check("timeline: and who held it", text_of("#timeline .bars-label")[0].split()[0], "cache_put")
check("timeline: drawn", driver.execute_script(
    "const c = document.querySelector('#timeline canvas');"
    "return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((x) => x > 0)"), True)

# What resident memory was for: it adds up; who keeps half-empty slabs, with the stack.
check("rss: at its highest", text_of("#rss h3")[0], "At its highest: 63.0 MB, 3.0 s after the start")
check("rss: its parts", text_of("#rss .bars-label")[:7],
      ["live blocks", "size-class waste", "free but dirty", "metadata", "thread stacks", "file pages", "other mappings"])
check("rss: when last seen", "free but dirty" in one("#rss").text and "When last seen: 61.8 MB" in one("#rss").text, True)
check("rss: who fragments it", [t.split()[0] for t in text_of("#rss tbody td.wide")], ["cache_put", "buffer_new"])
one("#rss tbody tr").click()
wait(lambda: all_of("#rss tr.detail"))
check("rss: a site opens", text_of("#rss tr.detail .stack-function"), ["cache_put", "serve_request", "run_main"])
check("rss: drawn", driver.execute_script(
    "const c = document.querySelector('#rss canvas');"
    "return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((x) => x > 0)"), True)

# Nothing that a program is called gets to be markup.
check("a hostile command stays text", "<script>alert(1)</script>" in one("#processes").text, True)

# The theme button: auto, light, dark.
theme = one(".page-theme")
ground = lambda: driver.execute_script("return getComputedStyle(document.body).backgroundColor")
light = ground()
theme.click()
theme.click()
wait(lambda: ground() != light)
check("dark on request", driver.execute_script("return document.documentElement.dataset.theme"), "dark")
theme.click()

# On paper: light, no bar, everything there.
pdf = driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
check("prints", len(pdf) > 20000, True)
if shots:
    import base64
    open(shots + "/report.pdf", "wb").write(base64.b64decode(pdf))

# Every control can be reached and has a name.
nameless = driver.execute_script("""
    return [...document.querySelectorAll('button, input, a')].filter((e) =>
        !(e.innerText.trim() || e.getAttribute('aria-label') || e.closest('label'))).length""")
check("every control has a name", nameless, 0)
overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
for width in (1280, 760, 500):
    driver.set_window_size(width, 1000)
    check("no sideways scrolling at %d" % width, driver.execute_script(overflow), 0)
driver.set_window_size(1280, 1000)

# ---------------------------------------------------------------- a diff

driver.get("file://" + diff)
wait(lambda: all_of("#sites tbody tr"))
check("diff: no error in the console", errors(), [])
check("diff: the verdict", one(".diff-verdict").text, "Failed: a place, or all together, grew by more than 1.00 MB.")
check("diff: the change asked for first", text_of(".tile-value")[0], "+5.00 MB")
check("diff: what grew", boxes(), ["all changes", "run_main", "serve_request", "cache_put"])
button("flame", "What shrank").click()
wait(lambda: "Nothing shrank." in one("#flame").text)
check("diff: nothing shrank", boxes(), [])
one("#sites tbody tr").click()
wait(lambda: all_of("#sites tr.detail"))
check("diff: both sides", "live at the end 32.8 MB → 37.8 MB" in one("#sites tr.detail .site-facts").text, True)
button("flame", "What grew").click()
shot("diff-light")
shot("diff-dark", dark=True)
driver.quit()
print("ok the end was reached")
